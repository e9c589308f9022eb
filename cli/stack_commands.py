"""The commands that act on a stack: plan, apply, restore, status, history, incident, test-notice."""

import os
from typing import Annotated

import typer

from cli.options import (
    CHANGES_PENDING,
    FAILED,
    Ca,
    Definitions,
    Json,
    Login,
    Own,
    Profile,
    Region,
    Reprove,
    Secrets,
    Stack,
    VertexUrl,
)

app = typer.Typer()


@app.command()
def plan(
    *,
    as_json: Json = False,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    reprove: Reprove = False,
    definitions: Definitions = None,
    secrets: Secrets = None,
    vertex: VertexUrl = None,
    vertex_login: Login = None,
    i_own_this_vertex: Own = False,
    ca: Ca = None,
) -> None:
    """Show what a sweep would do; writes nothing. Without a stack: on a throw-away sandbox. Exit code 2: changes."""
    from cli import show_stack, sweeping
    from cli.show import emit
    from cli.stacks import STACK_VARIABLE, find_target

    if vertex is None and definitions is None and (stack or os.environ.get(STACK_VARIABLE)):
        document = sweeping.plan(find_target(stack, region=region, profile=profile), reprove=reprove)
    else:
        from cli.installation import Choice, installation

        with installation(Choice(definitions, secrets, vertex, vertex_login, i_own_this_vertex, ca)) as site:
            document = sweeping.plan_in(site.sandbox, reprove=reprove)
    emit(document, as_json=as_json, render=show_stack.planned)
    if document["pending"]:
        raise typer.Exit(CHANGES_PENDING)


@app.command()
def apply(
    *,
    as_json: Json = False,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    reprove: Reprove = False,
    yes: Annotated[bool, typer.Option("--yes", help="Also where it writes more than SweepMaxWrites allows.")] = False,
) -> None:
    """Carry out a sweep, and wait until what it set off is done."""
    from cli import show_stack, sweeping
    from cli.show import emit
    from cli.stacks import find_target

    target = find_target(stack, region=region, profile=profile)
    with show_stack.progress() as progress:
        document = sweeping.apply(target, yes=yes, reprove=reprove, progress=progress)
    emit(document, as_json=as_json, render=show_stack.applied)
    if document["held"] or document["busy"] or document["unfinished"]:
        raise typer.Exit(FAILED)


@app.command()
def restore(
    name: Annotated[str, typer.Argument(help="The registry's name in VerteX, or its key.")],
    *,
    as_json: Json = False,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Put one registry right that somebody changed or deleted in VerteX."""
    from cli import show_stack, sweeping
    from cli.show import emit
    from cli.stacks import find_target

    document = sweeping.restore(find_target(stack, region=region, profile=profile), name)
    emit(document, as_json=as_json, render=show_stack.restored)
    if not document["restored"]:
        raise typer.Exit(FAILED)


@app.command()
def status(*, as_json: Json = False, stack: Stack = None, region: Region = None, profile: Profile = None) -> None:
    """How everything stands, from the ledger. Sends no request to VerteX."""
    from cli import looking, show_stack
    from cli.show import emit
    from cli.stacks import find_target

    document = looking.status(find_target(stack, region=region, profile=profile))
    emit(document, as_json=as_json, render=show_stack.stood)


@app.command()
def history(
    name: Annotated[str, typer.Argument(help="The registry's name in VerteX, or its key.")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The newest so many entries.")] = 50,
    as_json: Json = False,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """What happened to one registry: when, by which event and principal, with VerteX's AuditUid."""
    from cli import looking, show_stack
    from cli.show import emit
    from cli.stacks import find_target

    document = looking.history(find_target(stack, region=region, profile=profile), name, limit)
    emit(document, as_json=as_json, render=show_stack.happened)


@app.command()
def incident(
    incident_id: Annotated[str, typer.Argument(metavar="ID", help="As notices and `status` show it.")],
    *,
    as_json: Json = False,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """The whole thread of an incident, whatever NoticeDetail says."""
    from cli import looking, show_stack
    from cli.show import emit
    from cli.stacks import find_target

    document = looking.incident(find_target(stack, region=region, profile=profile), incident_id)
    emit(document, as_json=as_json, render=show_stack.threaded)


@app.command("test-notice")
def try_channels(*, as_json: Json = False, stack: Stack = None, region: Region = None, profile: Profile = None) -> None:
    """Send one notice through every channel. Without a stack: through those of a throw-away sandbox."""
    from cli import noticing, show_stack
    from cli.show import emit
    from cli.stacks import STACK_VARIABLE, find_target

    if stack or os.environ.get(STACK_VARIABLE):
        document = noticing.try_channels(find_target(stack, region=region, profile=profile))
    else:
        from cli.installation import Choice, installation

        with installation(Choice()) as site:
            document = noticing.try_channels_in(site.sandbox)
    emit(document, as_json=as_json, render=show_stack.noticed)
    if not all(channel["ok"] for channel in document["channels"]):
        raise typer.Exit(FAILED)
