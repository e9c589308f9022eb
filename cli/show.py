"""What people see: tables on a terminal, one JSON document for programs."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table

from cli.report import as_json as to_json

Document = Mapping[str, Any]
_PLAIN_WIDTH = 120
_MARKS = {"proven": "[green]proven[/]", "refuted": "[red]refuted[/]", "unknown": "[yellow]unknown[/]"}


def emit(document: Document, *, as_json: bool, render: Callable[[Console, Document], None]) -> None:
    """Print a document for a program, or for a person."""
    if as_json:
        sys.stdout.write(to_json(document) + "\n")
    else:
        render(terminal(), document)


def terminal() -> Console:
    """Where people read; colours and boxes only where somebody looks."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH)


def explained(console: Console, document: Document) -> None:
    """Each event, and what it would lead to."""
    table = Table("event", "rule", "trigger", "would", box=None, header_style="bold")
    for event in document["events"]:
        cells = (event["file"], ", ".join(event["matched"]) or "-", event["trigger"], event["would"])
        table.add_row(*(escape(cell) for cell in cells))
    console.print(table)


def replayed(console: Console, document: Document) -> None:
    """Events, registries, requests and notices."""
    table = Table("event", "trigger", "registries", "outcome", box=None, header_style="bold")
    for event in document["events"]:
        cells = (event["file"], event["trigger"], ", ".join(event["registries"]), event["outcome"])
        table.add_row(*(escape(cell) for cell in cells))
    console.print(table)
    for registry in document["registries"]:
        where = f"{registry['base_content_path']} at {registry['endpoint']}"
        console.print(f"registry [bold]{escape(registry['name'])}[/]: {escape(where)}, {registry['health']}")
    requests = document["vertex_requests"]
    if requests is not None:
        sent = sum(request["path"].startswith("/v1/registries") for request in requests)
        console.print(f"{sent} registry requests to VerteX")
    console.print(f"{document['dead_letters']} dead letters")
    for notice in document["notices"]:
        if notice["channel"] == "sns":
            show_notice(console, notice)


def show_notice(console: Console, notice: Document) -> None:
    """A notice as an admin reads it."""
    title, body = escape(str(notice["title"])), escape(str(notice["body"]))
    if not console.is_terminal:
        console.print(Padding(f"{title}\n{body}", (1, 0, 0, 4), expand=False))
        return
    style = "green" if notice["state"] == "resolved" else "red" if notice["severity"] != "info" else "cyan"
    console.print(Padding(Panel(body, title=title, title_align="left", border_style=style), (0, 0, 0, 4)))


def probed(console: Console, document: Document) -> None:
    """Each assumption, and what was found."""
    console.print(f"VerteX {escape(document['version'] or 'of unknown version')} at {escape(document['vertex'])}")
    table = Table("verdict", "assumption", "seen", box=None, header_style="bold")
    for finding in document["findings"]:
        table.add_row(_MARKS[finding["verdict"]], escape(finding["assumption"]), escape(finding["seen"]))
    console.print(table)


def narrate(scene: Document) -> None:
    """A scene of the demo."""
    console = terminal()
    mark = "[green]ok[/]" if scene["ok"] else "[red]FAILED[/]"
    console.print(f"\n[bold]{escape(scene['name'])}[/]  {mark}, {scene['seconds']} s")
    for line in scene["story"]:
        console.print(Padding(escape(line), (0, 0, 0, 2), expand=False))
    for notice in scene["notices"]:
        if notice["channel"] == "sns":
            show_notice(console, notice)


def played(console: Console, document: Document) -> None:
    """How the story of the demo ended."""
    good = [scene for scene in document["scenes"] if scene["ok"]]
    requests = [r for r in document["vertex_requests"] if r["path"].startswith("/v1/registries")]
    told = sum(notice["channel"] == "sns" for notice in document["notices"])
    console.print(
        f"\n{len(good)} of {len(document['scenes'])} scenes hold what they claim: {len(document['events'])} events, "
        f"{len(document['registries'])} registries looked after, {len(requests)} registry requests to VerteX, "
        f"{told} notices, {document['dead_letters']} dead letters."
    )


def quiet(scene: Document) -> None:
    """Progress on stderr, where stdout is for the document."""
    sys.stderr.write(f"{'ok' if scene['ok'] else 'FAILED'}: {scene['name']}\n")
