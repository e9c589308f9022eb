"""Docs keep step with the code."""

import re
from pathlib import Path

import pytest

from registry_autopilot.causes import CAUSES, Cause

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_cause_has_a_runbook_entry_and_every_entry_a_cause() -> None:
    """Notices point to `docs/operations.md#cause-<slug>`; severity and headline are those of the code."""
    text = (DOCS / "operations.md").read_text()
    assert re.findall(r'<a id="(cause-[a-z-]+)"></a>', text) == [cause.runbook for cause in CAUSES.values()]
    for cause in CAUSES.values():
        assert f"*{cause.severity.capitalize()}: {cause.headline}.*" in text, cause.slug


PARTS = ["Symptom", "Meaning", "Check", "Mend", "By hand", "Meanwhile"]


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.slug)
def test_runbook_entry_is_complete(cause: Cause) -> None:
    """Six parts, each with something to say, in the order in which an admin needs them."""
    parts = re.split(r"^- \*\*([A-Z][a-z ]+):\*\* ", _entry(cause), flags=re.MULTILINE)[1:]
    assert parts[::2] == PARTS
    assert all(len(text.split()) >= 3 for text in parts[1::2]), cause.slug


@pytest.mark.parametrize("cause", [c for c in CAUSES.values() if c.retry], ids=lambda cause: cause.slug)
def test_runbook_entry_says_when_it_is_tried_again(cause: Cause) -> None:
    """The intervals are those of the code."""
    said = " ".join(_entry(cause).split())
    assert f"Tried again after {', '.join(map(_interval, cause.retry))}," in said


def _entry(cause: Cause) -> str:
    text = (DOCS / "operations.md").read_text().partition(f'<a id="{cause.runbook}"></a>')[2]
    return re.split(r'^(?:<a id="|## )', text, maxsplit=1, flags=re.MULTILINE)[0]


def _interval(seconds: int) -> str:
    units = ((3600, "h"), (60, "min"), (1, "s"))
    size, unit = next((size, unit) for size, unit in units if seconds % size == 0)
    return f"{seconds // size} {unit}"


def test_links_between_pages_lead_somewhere() -> None:
    """Relative links of README and docs name files that exist."""
    for page in [DOCS.parent / "README.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
