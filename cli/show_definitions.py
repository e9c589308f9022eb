"""What people see of definition files."""

from rich.console import Console
from rich.markup import escape

from cli.show import Document
from registry_autopilot.redaction import redact

_MARKS = {"created": "[green]+[/]", "changed": "[yellow]~[/]", "unchanged": "="}


def checked(console: Console, document: Document) -> None:
    """Each problem on a line that an editor can follow."""
    for one in document["problems"]:
        about = f"{one['definition']}: " if one["definition"] else ""
        note = "note: " if one["severity"] == "note" else ""
        text = f"{one['file']}:{one['line']}: {note}{about}{one['message']}"
        console.print(escape(redact(text)), soft_wrap=True)
    usable = len(document["definitions"])
    errors = sum(one["severity"] == "error" for one in document["problems"])
    console.print(f"{usable} definitions can be used, {errors} problems")


def pushed(console: Console, document: Document) -> None:
    """What is written, field by field."""
    for one in document["definitions"]:
        fields = f" ({', '.join(one['fields'])})" if one["fields"] else ""
        console.print(f"{_MARKS[one['action']]} {escape(one['id'])}: {one['action']}{escape(fields)}")
    if document["not_in_files"]:
        console.print(f"not in the files, and left as they are: {escape(', '.join(document['not_in_files']))}")


def imported(console: Console, document: Document) -> None:
    """Where the definitions are."""
    left = f", {len(document['left_out'])} left out" if document["left_out"] else ""
    console.print(f"{len(document['definitions'])} definitions written to {document['file']}{left}")
