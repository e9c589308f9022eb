"""What people see: tables on a terminal, one JSON document for programs."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from cli.report import as_json as to_json

Document = Mapping[str, Any]
_MARKS = {"proven": "[green]proven[/]", "refuted": "[red]refuted[/]", "unknown": "[yellow]unknown[/]"}


def emit(document: Document, *, as_json: bool, render: Callable[[Console, Document], None]) -> None:
    """Print a document for a program, or for a person."""
    if as_json:
        sys.stdout.write(to_json(document) + "\n")
    else:
        render(Console(highlight=False), document)


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
    requests = [r for r in document["vertex_requests"] if r["path"].startswith("/v1/registries")]
    console.print(f"{len(requests)} registry requests to VerteX, {document['dead_letters']} dead letters")
    for notice in document["notices"]:
        if notice["channel"] == "sns":
            show_notice(console, notice)


def show_notice(console: Console, notice: Document) -> None:
    """A notice as an admin reads it."""
    style = "green" if notice["state"] == "resolved" else "red" if notice["severity"] != "info" else "cyan"
    title = escape(str(notice["title"]))
    console.print(Panel(escape(notice["body"]), title=title, title_align="left", border_style=style))


def probed(console: Console, document: Document) -> None:
    """Each assumption, and what was found."""
    table = Table("assumption", "verdict", "seen", box=None, header_style="bold")
    for finding in document["findings"]:
        table.add_row(escape(finding["assumption"]), _MARKS[finding["verdict"]], escape(finding["seen"]))
    console.print(table)


def narrate(scene: Document) -> None:
    """A scene of the demo."""
    console = Console(highlight=False)
    mark = "[green]✓[/]" if scene["ok"] else "[red]✗[/]"
    console.print(f"\n{mark} [bold]{escape(scene['name'])}[/]")
    for line in scene["story"]:
        console.print(f"  {escape(line)}")
    for notice in scene["notices"]:
        if notice["channel"] == "sns":
            show_notice(console, notice)


def quiet(scene: Document) -> None:
    """Progress on stderr, where stdout is for the document."""
    sys.stderr.write(f"{'ok' if scene['ok'] else 'FAILED'}: {scene['name']}\n")
