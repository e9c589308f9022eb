"""The commands for definition files: check, push, import."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.errors import UsageError
from cli.options import FAILED, Ca, Json, Login, Profile, Region, Stack

app = typer.Typer()

DefinitionFiles = Annotated[list[Path], typer.Argument(help="Definition files (YAML or JSON).")]


@app.command()
def check(files: DefinitionFiles, *, as_json: Json = False) -> None:
    """Check definition files; each error names file, line, field, value and remedy."""
    from cli import checking, show_definitions
    from cli.show import emit

    findings = checking.check(files)
    emit(checking.document(findings), as_json=as_json, render=show_definitions.checked)
    if findings.errors:
        raise typer.Exit(FAILED)


@app.command()
def push(
    files: DefinitionFiles,
    *,
    as_json: Json = False,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
) -> None:
    """Check definition files and write them to Parameter Store. Parameters that no file names are left alone."""
    from cli import checking, pushing, show_definitions
    from cli.show import emit, terminal
    from cli.stacks import find_target

    findings = checking.check(files)
    if findings.errors:
        emit(checking.document(findings), as_json=as_json, render=show_definitions.checked)
        raise typer.Exit(FAILED)
    target = find_target(stack, region=region, profile=profile)
    planned, unnamed = pushing.changes(target, findings.usable)
    document = pushing.document(planned, unnamed)
    pending = [change for change in planned if change.action != "unchanged"]
    if pending and not yes:
        if not sys.stdin.isatty():
            raise UsageError("--yes: missing; there is nobody to ask whether to write")
        show_definitions.pushed(terminal(), document)
        typer.confirm("Write them?", abort=True, err=True)
    pushing.push(target, planned)
    emit(document, as_json=as_json, render=show_definitions.pushed)


@app.command("import")
def import_(
    *,
    vertex: Annotated[str, typer.Option("--vertex", help="The VerteX to read.")],
    vertex_login: Login = None,
    ca: Ca = None,
    protected: Annotated[
        list[str] | None, typer.Option("--protected", help="Names that become sync-only, as ProtectedRegistries.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here; default: stdout.")] = None,
    as_json: Json = False,
) -> None:
    """Write definitions from the system-level registries that exist. VerteX is only read."""
    from cli import importing, show_definitions
    from cli.installation import checked_url, login_of
    from cli.show import emit

    found = importing.read_vertex(checked_url(vertex), login_of(vertex_login), ca=ca, protected=protected or [])
    for name, why in found.left_out:
        sys.stderr.write(f"left out: {name}: {why}\n")
    if output is not None:
        output.write_text(found.text)
    document = {
        "definitions": list(found.definitions),
        "left_out": [{"name": name, "why": why} for name, why in found.left_out],
        "file": str(output) if output else None,
    }
    if output is not None or as_json:
        emit(document, as_json=as_json, render=show_definitions.imported)
    else:
        sys.stdout.write(found.text)
