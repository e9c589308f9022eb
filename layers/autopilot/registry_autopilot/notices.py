"""What admins read: one notice per change of an incident, for e-mail (SNS) and for Slack. Pure.

`full` names the assets; `reference` holds nothing that names one (severity, cause, incident id, count, next try),
for channels that may not carry such names, and is the default outside the `aws` partition.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from registry_autopilot.causes import Severity
from registry_autopilot.incidents import REGISTRIES, Change, Incident, cause_of
from registry_autopilot.records import HistoryEntry, Outcome
from registry_autopilot.redaction import redact

# Limits: SNS Publish (Subject), Slack Block Kit reference (header, section, text).
MAX_SUBJECT = 99
MAX_HEADER = 150
MAX_SECTION = 3000
_SECTION_ROOM = 2900
_SHORTEST_NAME = 16  # of what a subject is about, however long its words are

_WORDS = {"open": "", "update": "Changed: ", "resolved": "Resolved: "}
_MARKS = {Severity.INFO: "ℹ️", Severity.WARNING: "⚠️", Severity.ERROR: "❌", Severity.CRITICAL: "🚨"}  # noqa: RUF001


class NoticeDetail(StrEnum):
    """How much a notice says."""

    FULL = "full"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Notice:
    """A change in words, before a channel gives it a form."""

    opening: str
    about: str
    says: str
    lines: tuple[tuple[str, str], ...]
    severity: Severity
    state: str
    cause: str
    incident_id: str
    subject: str

    @property
    def title(self) -> str:
        """What it is about, and what it says of it."""
        return f"{self.opening}{self.about}{self.says}"

    def title_within(self, most: int) -> str:
        """The title in so many characters: a name that is too long for it is cut, not what is said of it."""
        room = max(_SHORTEST_NAME, most - len(self.opening) - len(self.says))
        return _cut(f"{self.opening}{_cut(self.about, room)}{self.says}", most)

    @property
    def body(self) -> str:
        """Readable text, one labelled paragraph per line."""
        return "\n".join(f"{label}: {text}" for label, text in self.lines)


def notice_of(incident: Incident, change: Change, detail: NoticeDetail, *, vertex_url: str | None = None) -> Notice:
    """The notice of one change; every word of it passes the redaction."""
    cause = cause_of(change.cause)
    full = detail is NoticeDetail.FULL
    severity = Severity.INFO if change.state == "resolved" else cause.severity
    about = incident.subject_name if full else f"Incident {incident.id}"
    lines = _full_lines(incident, change, vertex_url) if full else _reference_lines(incident, change)
    says = cause.headline.removeprefix(about) if cause.headline.startswith(f"{about} ") else f": {cause.headline}"
    return Notice(
        opening=_WORDS[change.state],
        about=_safe(about),
        says=_safe(says),
        lines=tuple((label, _safe(text)) for label, text in lines if text),
        severity=severity,
        state=change.state,
        cause=cause.slug,
        incident_id=incident.id,
        subject=incident.subject if full else incident.id,
    )


_NEWS = {
    Outcome.REGISTERED: ("was registered", "VerteX validated it, created it and began its first synchronization."),
    Outcome.ADOPTED: ("was adopted", "VerteX validated it; it has the definition's credentials now."),
    Outcome.REFRESHED: ("was refreshed", "VerteX validated it and has what the definition and its secrets ask for."),
}


def news_of(entry: HistoryEntry, detail: NoticeDetail, *, vertex_url: str | None = None) -> Notice:
    """The notice of something that went well; `detail` as for incidents."""
    did, what = _NEWS.get(entry.outcome, ("changed", "Its history says how."))
    full = detail is NoticeDetail.FULL
    about = f"The registry {entry.name!r}" if full else f"A registry ({entry.key[:8]})"
    first = entry.triggers[0] if entry.triggers else None
    by = f" by {first.principal}" if first is not None and first.principal else ""
    lines = [
        ("What happened", what),
        ("Triggered by", f"{first.kind}{by}" if first is not None and full else ""),
        ("VerteX", vertex_url or "" if full else ""),
        ("More", f"autopilot history {entry.key[:8]}"),
    ]
    return Notice(
        opening="",
        about=_safe(about),
        says=f" {did}",
        lines=tuple((label, _safe(text)) for label, text in lines if text),
        severity=Severity.INFO,
        state="done",
        cause=str(entry.outcome),
        incident_id=entry.key[:16],
        subject=f"registry:{entry.key}" if full else entry.key[:16],
    )


def sns_subject(notice: Notice) -> str:
    """One line, under 100 characters."""
    before = "[VerteX] " if notice.state == "resolved" else f"[VerteX] {notice.severity.upper()} "
    return before + notice.title_within(MAX_SUBJECT - len(before))


def slack_payload(notice: Notice) -> dict[str, Any]:
    """Block Kit with a `text` fallback, escaped and within the limits."""
    mark = "✅" if notice.state == "resolved" else _MARKS[notice.severity]
    title = f"{mark} {notice.title_within(MAX_HEADER - len(mark) - 1)}"
    header = {"type": "plain_text", "text": title, "emoji": True}
    sections = [
        {"type": "section", "text": {"type": "mrkdwn", "text": f"*{label}*\n{_cut_escaped(text, _SECTION_ROOM)}"}}
        for label, text in notice.lines
    ]
    return {
        "text": _cut_escaped(title, MAX_SECTION),
        "blocks": [{"type": "header", "text": header}, *sections, {"type": "context", "elements": [_tag(notice)]}],
    }


def _tag(notice: Notice) -> dict[str, str]:
    """The attributes that SNS carries beside the text, in one small line."""
    return {"type": "plain_text", "text": " · ".join((notice.severity, notice.cause, notice.state, notice.incident_id))}


def escape_mrkdwn(text: str) -> str:
    """Escape what Slack reads as control characters, so that no name can page anyone or pose as a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _safe(text: str) -> str:
    """Redacted, and on one line: no name can pose as another line of a notice, or is more than a channel can carry."""
    plain = re.sub(r"[\s\x00-\x1f\x7f\u2028\u2029]+", " ", redact(text))
    return plain.encode(errors="replace").decode()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(0, most - 1)]}…"


def _cut_escaped(text: str, most: int) -> str:
    """Escaped, and cut in front of an escape that would not be whole."""
    escaped = escape_mrkdwn(text)
    return escaped if len(escaped) <= most else re.sub(r"&[a-z]*$", "", escaped[: most - 1]) + "…"


def _full_lines(incident: Incident, change: Change, vertex_url: str | None) -> list[tuple[str, str]]:
    cause = cause_of(change.cause)
    done = change.state == "resolved"
    return [
        ("What happened", change.what),
        ("What was kept", change.kept),
        ("What to do", "Nothing." if done else cause.advice),
        ("Registries", count if (count := change.facts.get(REGISTRIES, "")) not in {"", "1"} else ""),
        ("Next try", _next_try(change)),
        ("Triggered by", change.trigger or ""),
        ("Lasted", _duration(incident)),
        ("VerteX", vertex_url or ""),
        ("Look at", incident.console_link or ""),
        ("Runbook", "" if done else f"docs/operations.md#{cause.runbook}"),
        ("Incident", f"{incident.id}, cause {cause.slug}, change {change.seq}"),
    ]


def _reference_lines(incident: Incident, change: Change) -> list[tuple[str, str]]:
    return [
        ("State", f"{change.state}, severity {cause_of(change.cause).severity}, cause {change.cause}"),
        ("Registries", change.facts.get(REGISTRIES, "")),
        ("Next try", _next_try(change)),
        ("Incident", f"{incident.id}; `autopilot incident {incident.id}` shows the rest"),
    ]


def _next_try(change: Change) -> str:
    if change.state == "resolved":
        return ""
    if change.next_try_at is None:
        return "when something changes: an event, the definition, the secret or the next sweep"
    return datetime.fromtimestamp(change.next_try_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _duration(incident: Incident) -> str:
    if incident.resolved_at is None:
        return ""
    seconds = max(0, round(incident.resolved_at - incident.opened_at))
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
