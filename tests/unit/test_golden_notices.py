"""Every cause has a golden rendering: a changed word in a notice is seen in review."""

import pytest

from registry_autopilot.causes import CAUSES, Cause
from registry_autopilot.incidents import Change
from registry_autopilot.notices import NoticeDetail, notice_of, slack_payload, sns_subject
from tests.golden.render import FOLDER, incident_of, rendering

ASSETS = ("ecr-team-a", "123456789012", "jane", "console.example", "vertex.example.gov", "1111")


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.slug)
def test_notice_reads_as_it_was_reviewed(cause: Cause) -> None:
    """`python -m tests.golden.render` writes them anew."""
    assert (FOLDER / f"{cause.slug}.txt").read_text() == rendering(cause)


def test_no_golden_rendering_is_left_of_a_cause_that_is_gone() -> None:
    """One file for each cause."""
    assert {file.stem for file in FOLDER.glob("*.txt")} == set(CAUSES)


@pytest.mark.parametrize("cause", CAUSES.values(), ids=lambda cause: cause.slug)
def test_reference_names_no_asset_and_full_keeps_to_the_limits(cause: Cause) -> None:
    """Nothing that names an asset leaves in `reference`; nobody is paged by a name; Slack's and SNS's limits hold."""
    incident = incident_of(cause)
    for change in incident.changes:
        for detail in NoticeDetail:
            notice = notice_of(incident, change, detail, vertex_url="https://vertex.example.gov")
            payload = slack_payload(notice)
            text = sns_subject(notice) + notice.body + str(payload)
            assert detail is NoticeDetail.FULL or not [name for name in ASSETS if name in text]
            assert "<!channel>" not in str(payload)
            assert len(sns_subject(notice)) < 100
            assert len(payload["blocks"]) <= 50
            _check_change(change)


def _check_change(change: Change) -> None:
    assert change.what
    assert change.kept
