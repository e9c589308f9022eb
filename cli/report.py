"""The JSON document of `replay` and `demo`: its keys are a contract with people and checks outside this repository."""

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from registry_autopilot.incidents import Incident
from registry_autopilot.records import HistoryEntry, RegistryState
from sandbox.stack import Sandbox
from sandbox.vertex import Journal


class Ledger:
    """The ledger as it is now, read through the sandbox's DynamoDB."""

    def __init__(self, items: Iterable[Mapping[str, Any]]) -> None:
        self.states: dict[str, RegistryState] = {}
        self.history: list[HistoryEntry] = []
        self.incidents: dict[str, Incident] = {}
        for item in items:
            self._take(str(item["pk"]), str(item["sk"]), item)
        self.history.sort(key=lambda entry: entry.at)

    def _take(self, pk: str, sk: str, item: Mapping[str, Any]) -> None:
        if sk == "STATE" and pk.startswith("REG#"):
            state = RegistryState.model_validate_json(item["doc"])
            self.states[state.key] = state
        elif sk.startswith("HIST#"):
            self.history.append(HistoryEntry.model_validate_json(item["doc"]))
        elif pk.startswith("INC#"):
            incident = Incident.model_validate_json(item["doc"])
            self.incidents[incident.id] = incident


def registries_of(ledger: Ledger) -> list[dict[str, Any]]:
    """What the ledger holds of each registry."""
    return [
        {
            "name": state.shown_name,
            "uid": state.uid,
            "type": state.type.value,
            "provider": state.provider.value,
            "endpoint": state.endpoint,
            "base_content_path": state.base_content_path,
            "health": state.health.value,
            "fingerprint": state.fingerprint,
        }
        for state in sorted(ledger.states.values(), key=lambda state: state.shown_name)
    ]


def requests_of(journal: Journal, start: int = 0) -> list[dict[str, Any]]:
    """Requests to VerteX, logins included."""
    return [
        {"method": entry.method, "path": entry.path, "status": entry.status, "spec": entry.spec}
        for entry in journal.entries()[start:]
    ]


def notices_of(sandbox: Sandbox, ledger: Ledger, sns_from: int = 0, slack_from: int = 0) -> list[dict[str, Any]]:
    """What admins were told, by channel."""
    return [_sns(notice) for notice in sandbox.notices()[sns_from:]] + [
        _slack(message, ledger) for message in sandbox.slack.messages[slack_from:]
    ]


def _sns(notice: Any) -> dict[str, Any]:
    attributes = notice.attributes
    return {
        "state": attributes.get("state"),
        "severity": attributes.get("severity"),
        "cause": attributes.get("cause"),
        "subject": attributes.get("subject"),
        "channel": "sns",
        "title": notice.subject,
        "body": notice.body,
    }


def _slack(message: Mapping[str, Any], ledger: Ledger) -> dict[str, Any]:
    blocks: Sequence[Mapping[str, Any]] = message.get("blocks", [])
    tag = next((b["elements"][0]["text"] for b in blocks if b.get("type") == "context"), "")
    severity, cause, state, incident_id = ([*tag.split(" · "), "", "", "", ""])[:4]
    incident = ledger.incidents.get(incident_id)
    return {
        "state": state,
        "severity": severity,
        "cause": cause,
        "subject": incident.subject if incident else incident_id,
        "channel": "slack",
        "title": next((b["text"]["text"] for b in blocks if b.get("type") == "header"), message.get("text")),
        "body": "\n".join(html.unescape(b["text"]["text"]) for b in blocks if b.get("type") == "section"),
    }


def as_json(document: Mapping[str, Any]) -> str:
    """One JSON document."""
    return json.dumps(document, indent=2, ensure_ascii=False)
