"""Every cause as admins read it, by SNS and Slack; `python -m tests.golden.render` writes the files."""

import json
from pathlib import Path

from registry_autopilot.causes import Cause
from registry_autopilot.incidents import REGISTRIES, Incident, Story, open_incident, resolve_incident
from registry_autopilot.notices import NoticeDetail, notice_of, slack_payload, sns_subject

FOLDER = Path(__file__).with_name("notices")
OPENED = 1_790_000_000.0
_RULE = "-" * 72


def incident_of(cause: Cause) -> Incident:
    """An incident of a cause, opened and resolved an hour later; its names try to break out of where they stand."""
    due = OPENED + delay if (delay := cause.delay(1)) is not None else None
    story = Story(
        what="The registry was refused <!channel> & *more*.",
        kept="The registry is unchanged; version 1111 of its secrets stays in use.",
        trigger="SecretChanged by arn:aws:sts::123456789012:assumed-role/ops/jane",
        next_try_at=due,
        facts={REGISTRIES: "3"},
    )
    opened = open_incident("registry:key", "ecr-team-a", cause, OPENED, story, link="https://console.example/key")
    return resolve_incident(opened, OPENED + 3600, Story(what="The registry is right again.", kept="Nothing is left."))


def rendering(cause: Cause) -> str:
    """All of it as one readable text."""
    incident = incident_of(cause)
    parts = []
    for change in incident.changes:
        for detail in NoticeDetail:
            known = incident if change.state == "resolved" else incident.model_copy(update={"resolved_at": None})
            notice = notice_of(known, change, detail, vertex_url="https://vertex.example.gov")
            parts += [f"{change.state}, {detail}", _RULE, f"Subject: {sns_subject(notice)}", notice.body, _RULE]
            parts += [_readable(slack_payload(notice)), ""]
    return "\n".join(parts)


def _readable(payload: object) -> str:
    return json.dumps(payload, indent=1, ensure_ascii=False)


def write() -> None:
    """Write every rendering, and remove those of causes that are gone."""
    from registry_autopilot.causes import CAUSES

    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for cause in CAUSES.values():
        (FOLDER / f"{cause.slug}.txt").write_text(rendering(cause))


if __name__ == "__main__":
    write()
