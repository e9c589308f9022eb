"""Docs keep step with the code."""

import re
from pathlib import Path

from registry_autopilot.causes import CAUSES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_cause_has_a_runbook_entry_and_every_entry_a_cause() -> None:
    """Notices point to `docs/operations.md#cause-<slug>`; severity and headline are those of the code."""
    text = (DOCS / "operations.md").read_text()
    assert re.findall(r'<a id="(cause-[a-z-]+)"></a>', text) == [cause.runbook for cause in CAUSES.values()]
    for cause in CAUSES.values():
        assert f"*{cause.severity.capitalize()}: {cause.headline}.*" in text, cause.slug


def test_links_between_pages_lead_somewhere() -> None:
    """Relative links of README and docs name files that exist."""
    for page in [DOCS.parent / "README.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
