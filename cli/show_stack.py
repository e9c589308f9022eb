"""What people see of a stack: plans, how everything stands, what happened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.show import Document
from registry_autopilot.redaction import redact

_HEALTH = {"ok": "green", "refused": "red", "pending": "yellow", "held": "cyan", "new": "yellow"}


def planned(console: Console, document: Document) -> None:
    """Each entry with its reason, and what is right already."""
    table = Table("action", "registry", "why", "definition", box=None, header_style="bold")
    for entry in document["entries"]:
        table.add_row(*_cells(entry["action"], entry["name"], entry["why"], entry["definition"]))
    if document["entries"]:
        console.print(table)
    counts = ", ".join(f"{number} {action}" for action, number in document["counts"].items())
    console.print(f"{document['checked']} registries looked at: {counts or 'none'}")
    if document["truncated"]:
        console.print("The list is cut; the counts are not.")


def applied(console: Console, document: Document) -> None:
    """What was handed over, and whether it is done."""
    planned(console, document)
    if document["busy"]:
        console.print("[yellow]Another sweep is under way; nothing was done.[/] Try again in a few minutes.")
    elif document["held"]:
        console.print("[yellow]It would write more than SweepMaxWrites allows; no registry was written.[/] See --yes.")
    else:
        unfinished = len(document["unfinished"])
        left = f", {unfinished} not done yet; `autopilot status` follows them" if unfinished else ", all of it done"
        console.print(f"{document['enqueued']} handed over{left}.")


def restored(console: Console, document: Document) -> None:
    """The registry with its uid."""
    if not document["restored"]:
        why = f" ({document['cause']})" if document["cause"] else ""
        console.print(
            f"[red]{escape(document['name'])} was not restored{why}[/]; `autopilot history` says what happened."
        )
        return
    new = "" if document["uid"] == document["previous_uid"] else f" (a new one; it was {document['previous_uid']})"
    console.print(f"{escape(document['name'])} is right again; its uid is {document['uid']}{new}.")


def stood(console: Console, document: Document) -> None:
    """Mode, registries, incidents, sweeps."""
    counts = ", ".join(f"{number} {health}" for health, number in document["counts"].items()) or "none"
    console.print(f"mode [bold]{escape(document['mode'])}[/]; registries: {counts}")
    table = Table("registry", "type", "provider", "base path", "health", "next", box=None, header_style="bold")
    for one in document["registries"]:
        colour = _HEALTH.get(one["health"], "white")
        health = f"[{colour}]{one['health']}[/]" + (f" {escape(one['cause'])}" if one["cause"] else "")
        cells = _cells(one["name"], one["type"], one["provider"], one["base_content_path"])
        table.add_row(*cells, health, one["due"] or "")
    if document["registries"]:
        console.print(table)
    for one in document["incidents"]:
        console.print(f"[red]incident {one['id']}[/] since {one['opened']}: {_text(one['subject'])}: {one['cause']}")
        console.print(f"  {_text(one['what'])}")
    sweeps = ", ".join(f"{rhythm} {at}" for rhythm, at in document["sweeps"].items()) or "none yet"
    console.print(f"last sweeps: {sweeps}; quarantined events: {document['quarantined']}")


def happened(console: Console, document: Document) -> None:
    """One registry's entries in the order of time."""
    console.print(f"[bold]{_text(document['name'])}[/] ({document['uid'] or 'no uid'}), key {document['key'][:8]}")
    for entry in document["entries"]:
        cause = f" ({entry['cause']})" if entry["cause"] else ""
        console.print(f"{entry['at']} [bold]{entry['outcome']}[/]{cause} in mode {entry['mode'] or '-'}")
        for trigger in entry["triggers"]:
            by = f" by {trigger['principal']}" if trigger.get("principal") else ""
            console.print(f"    because of {trigger['kind']} {_text(trigger.get('subject') or '')}{_text(by)}")
        if entry["detail"]:
            console.print(f"    {_text(entry['detail'])}")
        for secret in entry["secrets"]:
            console.print(f"    {secret['use']}: {_text(secret['arn'])} version {secret['version_id']}")
        for request in entry["requests"]:
            console.print(f"    {_text(request)}")


def threaded(console: Console, document: Document) -> None:
    """An incident from its opening to its end."""
    console.print(f"[bold]{_text(document['subject'])}[/]: {document['cause']} ({document['severity']})")
    for change in document["changes"]:
        console.print(f"{change['at']} [bold]{change['state']}[/] {change['cause']}: {_text(change['what'])}")
        console.print(f"    kept: {_text(change['kept'])}")
        if change["trigger"]:
            console.print(f"    triggered by: {_text(change['trigger'])}")
        for name, value in change["facts"].items():
            console.print(f"    {_text(name)}: {_text(value)}")
    told = ", ".join(f"{channel} up to change {seq}" for channel, seq in document["told"].items()) or "nobody yet"
    console.print(f"told: {told}")
    if document["blocked"]:
        console.print(f"held back by it: {_text(', '.join(document['blocked']))}")
    console.print(f"to do: {document['advice'] if document['open'] else 'nothing'}  ({document['runbook']})")


def noticed(console: Console, document: Document) -> None:
    """Each channel, and how it took the notice."""
    for channel in document["channels"]:
        took = "[green]took it[/]" if channel["ok"] else f"[red]did not: {_text(channel['detail'])}[/]"
        console.print(f"{channel['name']}: {took}")


@contextmanager
def progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, so that stdout stays one document."""
    columns = (TextColumn("applying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("apply", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _cells(*values: Any) -> tuple[str, ...]:
    return tuple(_text(value or "") for value in values)


def _text(value: object) -> str:
    return escape(redact(str(value)))
