"""Tell: how an attempt ended goes into the ledger in one transaction; what admins hear follows from that."""

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.incidents import REGISTRIES, Incident, Story, resolve_incident
from registry_autopilot.ports import LedgerWrite
from registry_autopilot.records import Health, HistoryEntry, Outcome
from registry_autopilot.secret_names import reference_names
from registry_autopilot.steps.again import due_after, due_anyway, next_try
from registry_autopilot.steps.attempt import Attempt
from registry_autopilot.steps.diagnose import seen_from_here
from registry_autopilot.steps.measure import measure
from registry_autopilot.steps.own_incident import has_to_be_quiet, open_one, resolved_incident, told_incident
from registry_autopilot.steps.secret_endings import end_by_proof
from registry_autopilot.steps.shared import open_shared, resolve_shared
from registry_autopilot.steps.words import (
    how_many,
    how_many_use,
    subject_name,
    users_of_secret,
    what_happened,
    what_was_kept,
    who,
)

HELD_RECHECK_SECONDS = 900


def succeed(attempt: Attempt, outcome: Outcome) -> Outcome:
    """Everything is as the definition wants it: the incident ends, nothing is due but what is owed."""
    blocked_by = attempt.state.blocked_by
    # The incident about a synchronization lasts until one succeeds; one that comes and goes, until it has been quiet.
    syncing = attempt.state.sync_failed or has_to_be_quiet(attempt)
    incident = None if syncing else resolved_incident(attempt, outcome)
    attempt.change(
        health=Health.REFUSED if attempt.state.sync_failed else Health.OK,
        quiet_since=attempt.state.quiet_since if syncing else None,
        incident_id=attempt.state.incident_id if syncing else None,
        blocked_by=None,
        held=None,
        held_fingerprint=None,
        refused_fingerprint=None,
        refused_at=None,
        refused_cause=None,
        waiting_since=None,
        waiting_version=None,
        attempts=attempt.state.attempts if syncing else 0,
        due_at=due_after(attempt, outcome),
    )
    _commit(attempt, outcome, incident=incident)
    measure(attempt, outcome)
    end_by_proof(attempt)
    for subject in {blocked_by, _reached_vertex(attempt)} - {None}:
        if not (str(subject).startswith("secret:") and attempt.world.ledger.referring(f"blocked#{subject}")):
            resolve_shared(attempt.world, str(subject), attempt.at)
    return outcome


def defer(attempt: Attempt, until: float, **changes: object) -> Outcome:
    """Nothing can be done yet; the tick brings it back. Told to nobody."""
    attempt.change(due_at=until, **changes)
    _commit(attempt, Outcome.DEFERRED, quiet=True)
    return Outcome.DEFERRED


def retire(attempt: Attempt) -> None:
    """No definition asks for the registry any more: what it owed is forgotten, and its incident is over."""
    told = open_one(attempt)
    story = Story(
        what="No definition asks for this registry any more.", kept="It was left as it is.", trigger=who(attempt)
    )
    attempt.change(due_at=None, incident_id=None, blocked_by=None)
    if attempt.state != attempt.was:
        incident = resolve_incident(told, attempt.at, story) if told else None
        attempt.world.ledger.commit(LedgerWrite(attempt.was, attempt.state, incident=incident))


def hold_back(attempt: Attempt, would: str) -> Outcome:
    """The mode is observe: all was proven, what would be done is owed, and one incident says that things wait."""
    wanted = attempt.wanted
    _stay(attempt)
    told = attempt.was.held == would and attempt.was.held_fingerprint == (wanted.fingerprint if wanted else None)
    attempt.change(
        health=Health.HELD,
        held=would,
        held_fingerprint=wanted.fingerprint if wanted else None,
        blocked_by="mode",
        name=attempt.state.name or (wanted.desired.name if wanted else ""),
        due_at=attempt.world.clock() + HELD_RECHECK_SECONDS,
    )
    incident = resolved_incident(attempt, Outcome.OBSERVED)
    attempt.change(incident_id=None)
    _commit(attempt, Outcome.OBSERVED, incident=incident, quiet=told)
    if not told:
        story = Story(
            what=f"Autopilot would {would} the registry {attempt.state.shown_name!r}; it was proven and validated.",
            kept="Nothing was written to VerteX.",
            trigger=who(attempt),
        )
        open_shared(attempt.world, "mode", "the mode parameter", causes.HELD_BACK, story)
    _resolve_vertex(attempt)
    end_by_proof(attempt)
    return Outcome.OBSERVED


def refuse(attempt: Attempt, error: AutopilotError) -> Outcome:
    """Nothing good was replaced; an incident says what failed, why, what was kept and when it is tried again."""
    _stay(attempt)
    attempts = attempt.was.attempts + 1
    due = next_try(attempt, error, attempts)
    wanted = attempt.wanted
    attempt.change(
        attempts=attempts,
        due_at=due if due is not None else due_anyway(attempt),
        refused_fingerprint=wanted.fingerprint if wanted else None,
        refused_at=attempt.at,
        refused_cause=error.cause.slug,
        name=attempt.state.name or (wanted.desired.name if wanted else ""),
    )
    subject = causes.subject_of(error) or _secret_behind_many(attempt, error)
    looked = seen_from_here(attempt, error, subject)
    story = Story(
        what=what_happened(attempt, error, looked),
        kept=what_was_kept(attempt, error),
        trigger=who(attempt),
        next_try_at=due,
        facts=dict(error.facts) | ({"seen": "; ".join(looked)} if looked else {}),
    )
    if subject is None:
        told = open_one(attempt)
        incident = told_incident(attempt, told, error.cause, story)
        attempt.change(incident_id=incident.id, blocked_by=None, health=Health.REFUSED)
        _commit(attempt, Outcome.REFUSED, error=error, incident=incident if incident is not told else None)
        _resolve_vertex(attempt)
    else:
        attempt.change(blocked_by=subject, health=_blocked_health(attempt))
        _commit(attempt, Outcome.REFUSED, error=error)
        facts = story.facts | {REGISTRIES: str(how_many(attempt, subject))}
        shared = story.model_copy(update={"what": story.what + how_many_use(attempt, subject), "facts": facts})
        open_shared(attempt.world, subject, subject_name(subject), error.cause, shared, retry_at=due)
    return Outcome.REFUSED


def _secret_behind_many(attempt: Attempt, error: AutopilotError) -> str | None:
    """The secret that a refusal is about, when other registries use it, too: their incident is one."""
    used = [s for s in attempt.wanted.desired.secrets if s.use == "credentials"] if attempt.wanted else []
    if error.cause is not causes.CREDENTIALS_REJECTED or not used:
        return None
    name = reference_names(used[0].arn)[0]
    return f"secret:{name}" if users_of_secret(attempt, name) - {attempt.state.key} else None


def entry(
    attempt: Attempt, outcome: Outcome, *, error: AutopilotError | None = None, detail: str | None = None
) -> HistoryEntry:
    """What goes into the registry's history."""
    wanted = attempt.wanted
    return HistoryEntry(
        key=attempt.state.key,
        at=attempt.world.clock(),
        outcome=outcome,
        name=attempt.state.shown_name,
        definition_id=attempt.state.definition_id,
        mode=str(attempt.mode or ""),
        triggers=attempt.item.triggers,
        secrets=wanted.used if wanted else (),
        requests=tuple(record.line for record in attempt.requests),
        validated=attempt.validated,
        fingerprint=wanted.fingerprint if wanted else None,
        cause=error.cause.slug if error else None,
        detail=error.detail if error else detail,
        before=attempt.before,
    )


def _commit(
    attempt: Attempt,
    outcome: Outcome,
    *,
    error: AutopilotError | None = None,
    incident: Incident | None = None,
    quiet: bool = False,
) -> None:
    worth = not quiet and (outcome not in {Outcome.UNCHANGED, Outcome.DEFERRED} or bool(attempt.requests))
    history = entry(attempt, outcome, error=error) if worth or incident is not None else None
    if history is None and attempt.state == attempt.was and attempt.known is None:
        return
    attempt.world.ledger.commit(LedgerWrite(attempt.was, attempt.state, history, incident, attempt.known))


def _stay(attempt: Attempt) -> None:
    """A move that was not begun leaves the registry with its old identity."""
    if attempt.moved_from is not None:
        attempt.moved_from = None
        attempt.change(uid=None, ours=False, confirmed=False, moving=False)


def _blocked_health(attempt: Attempt) -> Health:
    applied = attempt.state.fingerprint is not None and attempt.wanted is not None
    return Health.OK if applied and attempt.state.fingerprint == attempt.need().fingerprint else Health.PENDING


def _reached_vertex(attempt: Attempt) -> str | None:
    """The shared subject `vertex`, when an incident about it is open and VerteX answered us."""
    open_one = attempt.vertex_state is not None and attempt.vertex_state.incident_id is not None
    return "vertex" if open_one and attempt.requests else None


def _resolve_vertex(attempt: Attempt) -> None:
    if _reached_vertex(attempt):
        resolve_shared(attempt.world, "vertex", attempt.at)
