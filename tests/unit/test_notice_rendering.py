"""Notices for people: every cause in both levels of detail, within every channel's limits."""

import re

import pytest

from registry_autopilot.causes import CAUSES, Cause, Severity
from registry_autopilot.incidents import (
    MAX_CHANGES,
    REGISTRIES,
    Story,
    cause_of,
    open_incident,
    resolve_incident,
    update_incident,
)
from registry_autopilot.notices import Notice, NoticeDetail, notice_of, slack_payload, sns_subject

STORY = Story(what="Something happened.", kept="Nothing was lost.", trigger="ImagePushed by someone", next_try_at=60.0)


@pytest.mark.parametrize("detail", list(NoticeDetail))
@pytest.mark.parametrize("cause", CAUSES.values(), ids=list(CAUSES))
def test_every_cause_can_be_told_on_every_channel(cause: Cause, detail: NoticeDetail) -> None:
    """Subject and blocks keep the limits; `full` says what to do, `reference` names no asset."""
    incident = open_incident("registry:abc", "secret-asset-name", cause, 0.0, STORY, link="https://console/abc")
    notice = notice_of(incident, incident.changes[0], detail, vertex_url="https://vertex.example.gov")
    subject = sns_subject(notice)
    assert len(subject) < 100
    assert not re.search(r"[\x00-\x1f\x7f]", subject)
    payload = slack_payload(notice)
    assert payload["text"]
    assert len(payload["blocks"]) <= 50
    told = f"{subject}\n{notice.body}"
    assert cause.slug in told
    assert incident.id in told
    if detail is NoticeDetail.FULL:
        assert cause.advice in told
        assert "Nothing was lost." in told
        assert "1970-01-01 00:01:00 UTC" in told
        assert cause.runbook in told
    else:
        assert "secret-asset-name" not in told
        assert "vertex.example.gov" not in told


def test_end_is_told_with_its_duration_when_an_incident_is_resolved() -> None:
    """Resolved: calm, with nothing left to do."""
    incident = open_incident("registry:abc", "packs", CAUSES["unreachable"], 0.0, STORY)
    resolved = resolve_incident(incident, 3720.0, Story(what="It works again.", kept="All is well."))
    notice = notice_of(resolved, resolved.changes[-1], NoticeDetail.FULL)
    assert notice.severity is Severity.INFO
    assert "1 h 2 min" in notice.body
    assert notice.title.startswith("Resolved: packs")
    assert resolve_incident(resolved, 9.0, STORY) is resolved
    assert not resolved.is_open


def test_update_is_told_only_when_the_cause_changes() -> None:
    """The same cause with other words is no news."""
    incident = open_incident("registry:abc", "packs", CAUSES["unreachable"], 0.0, STORY)
    assert update_incident(incident, CAUSES["unreachable"], 1.0, STORY) is incident
    changed = update_incident(incident, CAUSES["tls-untrusted"], 1.0, STORY)
    assert [change.state for change in changed.changes] == ["open", "update"]
    assert changed.above(1) == changed.changes[1:]
    assert changed.severity is CAUSES["tls-untrusted"].severity


def test_thread_stays_bounded_when_a_cause_flaps() -> None:
    """The first and the newest changes are kept."""
    incident = open_incident("registry:abc", "packs", CAUSES["unreachable"], 0.0, STORY)
    for number in range(MAX_CHANGES * 2):
        incident = update_incident(incident, list(CAUSES.values())[number % 2], float(number), STORY)
    assert len(incident.changes) == MAX_CHANGES
    assert incident.changes[0].seq == 1


def test_name_cannot_page_anyone_when_slack_shows_it() -> None:
    """A repository named <!channel> is text."""
    incident = open_incident("registry:abc", "<!channel> & <https://evil|x>", CAUSES["unknown"], 0.0, STORY)
    payload = slack_payload(notice_of(incident, incident.changes[0], NoticeDetail.FULL))
    assert "<!channel>" not in payload["text"]
    sections = [b["text"]["text"] for b in payload["blocks"] if b["type"] == "section"]
    assert not [text for text in sections if "<" in text]


def test_long_texts_are_cut_when_a_channel_has_limits() -> None:
    """3000 characters a section, 150 a header."""
    long = Story(what="x" * 9000, kept="y" * 9000)
    incident = open_incident("registry:abc", "n" * 500, CAUSES["unknown"], 0.0, long)
    payload = slack_payload(notice_of(incident, incident.changes[0], NoticeDetail.FULL))
    assert max(len(b["text"]["text"]) for b in payload["blocks"] if b["type"] == "section") <= 3000
    assert len(payload["blocks"][0]["text"]["text"]) <= 150


def test_unknown_slug_reads_as_unknown_when_a_newer_release_wrote_it() -> None:
    """A rollback of the stack can read what the newer one wrote."""
    assert cause_of("from-the-future").slug == "unknown"


def test_delay_grows_and_then_stays() -> None:
    """The last step of a retry rule repeats; no rule, no due time."""
    cause = CAUSES["vertex-unavailable"]
    assert [cause.delay(n) for n in (0, 1, 2, 99)] == [cause.retry[0], cause.retry[0], cause.retry[1], cause.retry[-1]]
    assert CAUSES["adoptable"].delay(1) is None


def _noticed(name: str, *, what: str = "Something happened.", detail: NoticeDetail = NoticeDetail.FULL) -> Notice:
    story = Story(what=what, kept="Nothing was lost.", facts={REGISTRIES: "12"})
    incident = open_incident("registry:abc", name, CAUSES["credentials-rejected"], 0.0, story)
    return notice_of(incident, incident.changes[0], detail)


def test_name_cannot_pose_as_another_line() -> None:
    """Line ends and their relatives become spaces, in titles as in texts."""
    notice = _noticed("packs\nWhat to do: nothing", what="one\r\nWhat to do: nothing\u2028more")
    assert "\n" not in notice.title
    assert len(notice.body.splitlines()) == len(notice.lines)
    assert "\n" not in slack_payload(notice)["blocks"][0]["text"]["text"]


def test_what_is_wrong_stays_in_the_subject_when_a_name_is_long() -> None:
    """The name is cut, in the middle of the line."""
    notice = _noticed("n" * 300)
    headline = CAUSES["credentials-rejected"].headline
    assert sns_subject(notice).endswith(f"…: {headline}")
    assert slack_payload(notice)["blocks"][0]["text"]["text"].endswith(f"…: {headline}")


def test_cut_text_ends_before_an_escape_that_would_not_be_whole() -> None:
    """A bare `&am` would be shown as such."""
    sections = slack_payload(_noticed("packs", what="&" * 2900))["blocks"][1:-1]
    assert all(len(section["text"]["text"]) <= 3000 for section in sections)
    assert re.fullmatch(r"\*What happened\*\n(&amp;)+…", sections[0]["text"]["text"])


def test_half_a_surrogate_pair_in_a_name_stops_no_notice() -> None:
    """JSON can write it, and no channel can carry it."""
    notice = _noticed("packs\ud800")
    assert (notice.title + notice.body + sns_subject(notice)).encode()


@pytest.mark.parametrize("detail", list(NoticeDetail))
def test_count_of_registries_is_told_on_every_level_of_detail(detail: NoticeDetail) -> None:
    """A number names no asset."""
    assert "Registries: 12" in _noticed("packs", detail=detail).body
