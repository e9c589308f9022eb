"""The `autopilot` command. Exit codes: 0 done, 1 failed, 2 changes pending (`plan`), 64 bad usage."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import click
import typer

from cli.errors import UsageError

BAD_USAGE = 64
FAILED = 1

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)

Files = Annotated[list[Path], typer.Argument(help="Event files: EventBridge envelopes or CloudTrail records, as JSON.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Definitions = Annotated[Path | None, typer.Option("--definitions", help="A definitions file; default: the sandbox's.")]
Secrets = Annotated[Path | None, typer.Option("--secrets", help="A mapping of secret names to values.")]
VertexUrl = Annotated[str | None, typer.Option("--vertex", help="A VerteX of yours instead of the stand-in.")]
Login = Annotated[Path | None, typer.Option("--vertex-login", help="A file with username and password.")]
Own = Annotated[bool, typer.Option("--i-own-this-vertex", help="Let a VerteX that is not on this machine be written.")]


@app.command()
def replay(
    files: Files,
    as_json: Json = False,
    definitions: Definitions = None,
    secrets: Secrets = None,
    vertex: VertexUrl = None,
    vertex_login: Login = None,
    i_own_this_vertex: Own = False,
) -> None:
    """Deliver events through the stack's real rules and functions, run until idle, report."""
    from cli import loading, show
    from cli.installation import Choice, installation
    from cli.replay import replay as run

    events = loading.load_events(files)
    choice = Choice(definitions, secrets, vertex, vertex_login, i_own_this_vertex)
    with installation(choice) as site:
        document = run(site.sandbox, events, site.definitions, site.journal)
    show.emit(document, as_json=as_json, render=show.replayed)


@app.command()
def explain(files: Files, as_json: Json = False, definitions: Definitions = None) -> None:
    """Say what each event would lead to, without side effects."""
    from cli import loading, show
    from cli.explaining import in_words, meaning_of
    from cli.replay import HOME
    from cli.rules import matching_rules
    from sandbox.stack import DEFINITIONS

    known = loading.parsed_definitions(loading.load_definitions(definitions or DEFINITIONS))
    rows = []
    for event in loading.load_events(files):
        meaning, matched = meaning_of(event.envelope, known, HOME), matching_rules(event.envelope)
        would = in_words(meaning, known) if matched else "ignored: no rule of the stack matches it"
        row = {"file": event.file, "matched": matched, "trigger": meaning.trigger, "registries": meaning.names}
        rows.append(row | {"would": would})
    show.emit({"events": rows}, as_json=as_json, render=show.explained)


@app.command()
def demo(as_json: Json = False) -> None:
    """Run the story against a throwaway sandbox and print what happened."""
    from cli import show
    from cli.demo import run

    document = run(show.quiet if as_json else show.narrate)
    if as_json:
        show.emit(document, as_json=True, render=show.replayed)
    if not all(scene["ok"] for scene in document["scenes"]):
        raise typer.Exit(FAILED)


@app.command()
def sandbox(
    as_json: Json = False,
    definitions: Definitions = None,
    secrets: Secrets = None,
    vertex: VertexUrl = None,
    vertex_login: Login = None,
    i_own_this_vertex: Own = False,
) -> None:
    """Start the embedded stack and stay up; Ctrl-C ends it."""
    from cli.installation import Choice, installation
    from cli.staying import stay

    choice = Choice(definitions, secrets, vertex, vertex_login, i_own_this_vertex, ticking=True)
    with installation(choice) as site:
        stay(site, as_json=as_json)


@app.command()
def probe(
    as_json: Json = False,
    vertex: VertexUrl = None,
    vertex_login: Login = None,
    ca: Annotated[Path | None, typer.Option(help="PEM of the CA that signed VerteX's certificate.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Make and remove one throw-away registry.")] = False,
) -> None:
    """Ask what this VerteX really does, against what we assume."""
    from cli import show
    from cli.probing import probe as run

    document = run(vertex, vertex_login, ca=ca, write=write)
    show.emit(document, as_json=as_json, render=show.probed)
    if any(finding["verdict"] == "refuted" for finding in document["findings"]):
        raise typer.Exit(FAILED)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code."""
    command: Callable[..., Any] = typer.main.get_command(app)
    try:
        result = command(args=arguments, prog_name="autopilot", standalone_mode=False)
    except (click.UsageError, UsageError) as error:
        words = error.format_message() if isinstance(error, click.UsageError) else str(error)
        sys.stderr.write(f"autopilot: {words}\n")
        return BAD_USAGE
    except click.exceptions.Exit as ended:
        return int(ended.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("autopilot: interrupted\n")
        return FAILED
    except Exception as error:  # the last line of defence: a person gets a sentence, not a trace
        from registry_autopilot.redaction import redact

        sys.stderr.write(f"autopilot: {redact(f'{type(error).__name__}: {error}')}\n")
        return FAILED
    return int(result or 0)


def run() -> None:
    """Entry point of the installed command."""
    sys.exit(main())
