"""The `autopilot` command. Exit codes: 0 done, 1 failed, 2 changes pending (`plan`), 64 bad usage."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import definition_commands, stack_commands
from cli.errors import UsageError
from cli.options import FAILED, Ca, Definitions, Json, Login, Own, Profile, Region, Secrets, VertexUrl

if TYPE_CHECKING:
    from cli.loading import LoadedEvent

BAD_USAGE = 64  # EX_USAGE of sysexits.h
INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Keeps the system-level OCI registries of Palette VerteX in step with Amazon ECR and AWS Secrets Manager.",
    epilog="Exit codes: 0 done, 1 failed, 2 changes pending (plan), 64 bad usage.",
)
Files = Annotated[
    list[Path],
    typer.Argument(help="Event files (JSON): EventBridge envelopes, CloudTrail records, lists or log files of them."),
]


@app.command()
def replay(
    files: Files,
    *,
    as_json: Json = False,
    definitions: Definitions = None,
    secrets: Secrets = None,
    vertex: VertexUrl = None,
    vertex_login: Login = None,
    i_own_this_vertex: Own = False,
    ca: Ca = None,
    stack: Annotated[str | None, typer.Option(help="A deployed stack instead of a throw-away sandbox.")] = None,
    region: Region = None,
    profile: Profile = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --stack: send without asking.")] = False,
) -> None:
    """Deliver events through the stack's real rules and functions, run until idle, report."""
    from cli import loading, show
    from cli.installation import Choice, installation
    from cli.replay import replay as run

    events = loading.load_events(files)
    choice = Choice(definitions, secrets, vertex, vertex_login, i_own_this_vertex, ca)
    if stack is not None:
        if choice != Choice():
            raise UsageError("--stack: a deployed stack has its own VerteX, definitions and secrets; leave them out")
        _replay_on(stack, events, as_json=as_json, region=region, profile=profile, yes=yes)
        return
    with installation(choice) as site:
        document = run(site.sandbox, events, site.definitions, site.journal)
    show.emit(document, as_json=as_json, render=show.replayed)


def _replay_on(
    stack: str, events: Sequence["LoadedEvent"], *, as_json: bool, region: str | None, profile: str | None, yes: bool
) -> None:
    from cli import replay_stack, show
    from cli.stacks import find_target

    target = find_target(stack, region=region, profile=profile)
    matched = replay_stack.matched_rules(target, events)
    if any(matched) and not yes:
        if not sys.stdin.isatty():
            raise UsageError(
                f"--yes: missing; {sum(map(bool, matched))} of {len(events)} events match and would be sent"
            )
        for event, rules in zip(events, matched, strict=True):
            sys.stderr.write(f"{event.file}: {', '.join(rules) or 'matches no rule'}\n")
        typer.confirm(f"Send what matches to the events queue of {stack}?", abort=True, err=True)
    show.emit(replay_stack.replay(target, events, matched), as_json=as_json, render=show.replayed)


@app.command()
def explain(files: Files, *, as_json: Json = False, definitions: Definitions = None) -> None:
    """Say what each event would lead to, without side effects."""
    from cli import loading, show
    from cli.explaining import explain as run
    from sandbox.stack import DEFINITIONS

    known = loading.parsed_definitions(loading.load_definitions(definitions or DEFINITIONS))
    document = run(loading.load_events(files), known)
    show.emit(document, as_json=as_json, render=show.explained)


@app.command()
def demo(
    *,
    as_json: Json = False,
    page: Annotated[Path | None, typer.Option(help="Leave a page with every notice and incident here.")] = None,
) -> None:
    """Play the story of the product on a throw-away sandbox; each scene checks what it claims."""
    from cli import show
    from cli.demo import run

    document = run(show.quiet if as_json else show.narrate, page_file=page)
    show.emit(document, as_json=as_json, render=show.played)
    if page is not None:
        sys.stderr.write(f"What admins were told, as they see it: {page}\n")
    if not all(scene["ok"] for scene in document["scenes"]):
        raise typer.Exit(FAILED)


@app.command()
def sandbox(
    *,
    as_json: Json = False,
    definitions: Definitions = None,
    secrets: Secrets = None,
    vertex: VertexUrl = None,
    vertex_login: Login = None,
    i_own_this_vertex: Own = False,
    ca: Ca = None,
) -> None:
    """Start the embedded stack and stay up, ticking each minute; Ctrl-C ends it."""
    from cli.installation import Choice, installation
    from cli.staying import stay

    choice = Choice(definitions, secrets, vertex, vertex_login, i_own_this_vertex, ca, ticking=True)
    with installation(choice) as site:
        stay(site, as_json=as_json)


@app.command()
def probe(
    *,
    as_json: Json = False,
    vertex: VertexUrl = None,
    vertex_login: Login = None,
    i_own_this_vertex: Own = False,
    ca: Ca = None,
    write: Annotated[bool, typer.Option("--write", help="Make and remove one throw-away registry.")] = False,
    endpoint: Annotated[str | None, typer.Option(help="Endpoint of the throw-away registry.")] = None,
) -> None:
    """Ask what this VerteX really does, against what we assume. Tries to log in once."""
    from cli import show
    from cli.probing import Target
    from cli.probing import probe as run

    target = Target(vertex, vertex_login, ca, i_own_this_vertex, write=write, endpoint=endpoint)
    document = run(target)
    show.emit(document, as_json=as_json, render=show.probed)
    verdicts = {finding["verdict"] for finding in document["findings"]}
    if "refuted" in verdicts or "proven" not in verdicts:  # nothing proven: there was nobody to ask
        raise typer.Exit(FAILED)


for group in (definition_commands.app, stack_commands.app):
    app.registered_commands += group.registered_commands


def main(arguments: list[str] | None = None) -> int:
    """Run the command; gives the exit code."""
    command = typer.main.get_command(app)
    try:
        return int(command(args=arguments, prog_name="autopilot", standalone_mode=False) or 0)
    except UsageError as error:
        return _say(str(error), BAD_USAGE)
    except typer.TyperException as error:
        return _show_usage(error)
    except (typer.Abort, KeyboardInterrupt):
        return _say("interrupted", INTERRUPTED)
    except Exception as error:  # the last line of defence: a person gets a sentence, not a trace
        from registry_autopilot.redaction import redact

        return _say(redact(f"{type(error).__name__}: {error}"), FAILED)


def run() -> None:
    """Entry point of the installed command."""
    sys.exit(main())


def _say(words: str, exit_code: int) -> int:
    sys.stderr.write(f"autopilot: {words}\n")
    return exit_code


def _show_usage(error: typer.TyperException) -> int:
    """What the parser of the command line says, with the usage of the command it is about."""
    show = getattr(error, "show", None)
    if show is None:
        return _say(error.format_message(), BAD_USAGE)
    show()
    return BAD_USAGE
