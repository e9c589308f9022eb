"""Words of an incident: what happened, what was kept, who led to it."""

from collections.abc import Sequence

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.steps.attempt import Attempt


def what_happened(attempt: Attempt, error: AutopilotError, looked: Sequence[str] = ()) -> str:
    """The refusal in words, with what our own side saw where the registry itself is at fault."""
    about_registry = causes.subject_of(error) is None
    seen = [attempt.evidence, *looked] if attempt.evidence and about_registry else looked
    return f"{error.detail}.{f" Seen from the function's network: {'; '.join(seen)}." if seen else ''}"


def what_was_kept(attempt: Attempt, error: AutopilotError) -> str:
    """What VerteX holds now, and which version of its secrets."""
    state = attempt.state
    if error.cause is causes.DRIFTED:
        return "What was found in VerteX was left as it is; nothing was written."
    if state.uid is None:
        return "No registry was created; nothing was written to VerteX."
    if attempt.was.fingerprint is not None and attempt.was.fingerprint == state.fingerprint:
        versions = ", ".join(s.version_id for s in attempt.was.secrets)
        return f"The registry is unchanged{f'; version {versions} of its secrets stays in use' if versions else ''}."
    return "The registry was left as it was found; the write will be proven again before it is repeated."


def who(attempt: Attempt) -> str | None:
    """Who or what triggered the attempt, in words."""
    if not attempt.item.triggers:
        return None
    first = attempt.item.triggers[0]
    return f"{first.kind} by {first.principal}" if first.principal else first.kind


def subject_name(subject: str) -> str:
    """How notices name a shared subject."""
    kind, _, name = subject.partition(":")
    names = {"vertex": "VerteX", "mode": "the mode parameter", "secret": f"the secret {name}"}
    return names.get(kind, f"{kind} {name}")


def users_of_secret(attempt: Attempt, name: str) -> set[str]:
    """Keys of the registries that use a secret of this one's definition, or will when it is their turn."""
    ledger, definition = attempt.world.ledger, attempt.state.definition_id
    found = [*ledger.referring(f"secret#{name}"), *ledger.referring(f"definition#{definition}")]
    return {state.key for state in found} | {attempt.state.key}


def how_many(attempt: Attempt, subject: str) -> int:
    """How many registries a shared subject concerns: those that use a secret, those that wait for anything else."""
    kind, _, name = subject.partition(":")
    if kind == "secret":
        return len(users_of_secret(attempt, name))
    return len({state.key for state in attempt.world.ledger.referring(f"blocked#{subject}")} | {attempt.state.key})


def how_many_use(attempt: Attempt, subject: str) -> str:
    """For an incident on a secret: the registry it was seen at, and how many use the secret."""
    kind, _, name = subject.partition(":")
    if kind != "secret":
        return ""
    users = users_of_secret(attempt, name)
    many = f"; {len(users)} registries use this secret" if len(users) > 1 else ""
    return f" It was seen at the registry {attempt.state.shown_name!r}{many}."
