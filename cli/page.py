"""The page that `make demo` leaves: Slack's messages as Slack shows them, SNS's e-mails, incidents in time."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from registry_autopilot.incidents import Incident
from sandbox.reading import Notice

_STYLE = """
:root { color-scheme: light; font: 15px/1.45 system-ui, sans-serif; color: #1d1c1d; }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem; background: #f6f6f4; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 1.2rem; align-items: start; }
.message, .mail, .line { background: #fff; border: 1px solid #ddd; border-radius: 8px; }
.message { padding: .8rem 1rem; margin-bottom: .9rem; } .message header { font-weight: 700; margin-bottom: .4rem; }
.message p, .mail p { margin: .35rem 0; overflow-wrap: anywhere; } .message small { color: #616061; }
.mail { padding: .8rem 1rem; margin-bottom: .9rem; font-family: ui-monospace, monospace; font-size: .8rem; }
.mail b { display: block; font-family: system-ui, sans-serif; font-size: .95rem; margin-bottom: .4rem; }
.line { padding: .5rem .8rem; margin-bottom: .4rem; display: grid; grid-template-columns: 24rem 1fr; gap: 1rem; }
.track { position: relative; height: 1.2rem; background: #eee; border-radius: 4px; }
.bar { position: absolute; top: 0; bottom: 0; min-width: 4px; border-radius: 4px; }
.info { background: #6aa7d8; } .warning { background: #e6b94c; }
.error { background: #d9534f; } .critical { background: #8e2a8b; }
"""


def page(slack: Sequence[Mapping[str, Any]], mails: Sequence[Notice], incidents: Sequence[Incident]) -> str:
    """One HTML page without any outside resource; every text of others is escaped. Pure."""
    messages = "".join(_message(payload) for payload in slack)
    letters = "".join(_mail(mail) for mail in mails)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Registry Autopilot: what admins were told</title>
<style>{_STYLE}</style></head><body>
<h1>What admins were told</h1>
<h2>Incidents</h2>{_timeline(incidents)}
<div class="columns"><section><h2>Slack</h2>{messages}</section>
<section><h2>E-mail, by SNS</h2>{letters}</section></div>
</body></html>
"""


def _message(payload: Mapping[str, Any]) -> str:
    return f'<div class="message">{"".join(_block(block) for block in payload.get("blocks", []))}</div>'


def _block(block: Mapping[str, Any]) -> str:
    match block.get("type"):
        case "header":
            return f"<header>{escape(str(block['text']['text']))}</header>"
        case "section":
            return f"<p>{_mrkdwn(str(block['text']['text']))}</p>"
        case "context":
            return f"<small>{' '.join(escape(str(one['text'])) for one in block['elements'])}</small>"
    return ""


def _mrkdwn(text: str) -> str:
    """Slack's bold and line breaks; its escapes (`&lt;`) are those of HTML, so what is not escaped is escaped here."""
    safe = re.sub(r"&amp;(amp|lt|gt);", r"&\1;", escape(text, quote=False))
    return re.sub(r"(?m)^\*([^*\n]+)\*$", r"<b>\1</b>", safe).replace("\n", "<br>")


def _mail(mail: Notice) -> str:
    lines = "".join(f"<p>{escape(line)}</p>" for line in mail.body.splitlines())
    return f'<div class="mail"><b>{escape(mail.subject or "")}</b>{lines}</div>'


def _timeline(incidents: Sequence[Incident]) -> str:
    """A bar for each incident, from its opening to its end."""
    if not incidents:
        return "<p>None.</p>"
    known = sorted(incidents, key=lambda incident: incident.opened_at)
    start = known[0].opened_at
    end = max(incident.resolved_at or incident.changes[-1].at for incident in known)
    return "".join(_line(incident, start, max(1.0, end - start)) for incident in known)


def _line(incident: Incident, start: float, span: float) -> str:
    until = incident.resolved_at if incident.resolved_at is not None else start + span
    left, width = (incident.opened_at - start) / span * 100, (until - incident.opened_at) / span * 100
    opened = datetime.fromtimestamp(incident.opened_at, UTC).strftime("%H:%M:%S")
    words = f"{opened} UTC {incident.subject_name}: {incident.cause}{'' if incident.resolved_at else ' (open)'}"
    bar = f'<div class="bar {incident.severity}" style="left:{left:.2f}%;width:{width:.2f}%"></div>'
    return f'<div class="line"><span>{escape(words)}</span><div class="track">{bar}</div></div>'
