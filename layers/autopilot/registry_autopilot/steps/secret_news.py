"""News of a secret: which registries it touches, and what is told of one that fails or goes."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from registry_autopilot import causes
from registry_autopilot.definitions import Definition
from registry_autopilot.events import RotationFailed, SecretChanged
from registry_autopilot.incidents import Story, named
from registry_autopilot.records import RegistryState
from registry_autopilot.secret_values import reference_names
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.items import asked_for, note_of
from registry_autopilot.steps.shared import end_shared, open_shared, resolve_shared
from registry_autopilot.work import TriggerNote, WorkItem

_DAY = 86_400
_MENDED_BY_SUCCESS = {
    causes.CREDENTIALS_REJECTED.slug,
    causes.SECRET_UNREADABLE.slug,
    causes.SECRET_MALFORMED.slug,
}


def using(world: World, event: SecretChanged, definitions: Sequence[Definition]) -> list[WorkItem]:
    """Every registry whose definition names the secret, as the ledger recorded it at first routing.

    The stack's own secrets count for every registry that waits for VerteX.
    """
    note = note_of("SecretChanged", event.origin, event.secret_id)
    names = set(reference_names(event.secret_id))
    for name in names:
        end_shared(world, f"secret:{name}", causes.ROTATION_FAILED, causes.SECRET_GOING)
    own = {reference_names(arn)[0] for arn in world.rules.own_secrets}
    waiting = world.ledger.referring("blocked#vertex") if own & names else []
    known = _depending(world, names)
    return [state.work(note) for state in [*known, *waiting]] + _never_routed(world, names, known, definitions, note)


def failed(world: World, event: RotationFailed) -> None:
    """Open an incident on the secret, when registries depend on it."""
    states = _depending(world, set(reference_names(event.secret_id)))
    if not states:
        return
    name = reference_names(event.secret_id)[0]
    cause = causes.SECRET_GOING if event.gone_at is not None else causes.ROTATION_FAILED
    story = Story(
        what=_what_failed(event, name, states, world.clock()),
        kept="The version applied last stays in use.",
        trigger=event.origin.principal,
    )
    open_shared(world, f"secret:{name}", f"the secret {name}", cause, story)


def end_what_is_over(world: World, now: float) -> None:
    """The incident of a secret ends with the last registry it held back; where two ended at once, here."""
    for system in world.ledger.systems():
        kind, _, name = system.subject.partition(":")
        if kind == "secret" and system.incident_id is not None and system.cause in _MENDED_BY_SUCCESS:
            held = [state.blocked_by for state in world.ledger.referring(f"secret#{name}")]
            if held and not any(held):
                resolve_shared(world, system.subject, now)


def _never_routed(
    world: World, names: set[str], known: Sequence[RegistryState], definitions: Sequence[Definition], note: TriggerNote
) -> list[WorkItem]:
    """Registries with a fixed base path whose definition names the secret, and that the ledger does not know."""
    routed = {state.definition_id for state in known}
    fixed = [d for d in definitions if not d.is_family and d.id not in routed]
    naming = [d for d in fixed if names & {n for secret in d.secret_ids for n in reference_names(secret)}]
    return [item for definition in naming for item in asked_for(world, definition, note)]


def _depending(world: World, names: set[str]) -> list[RegistryState]:
    found: dict[str, RegistryState] = {}
    for name in sorted(names):
        found |= {state.key: state for state in world.ledger.referring(f"secret#{name}")}
    return list(found.values())


def _what_failed(event: RotationFailed, name: str, states: Sequence[RegistryState], now: float) -> str:
    """The event in words, with the days left of a secret that is going, and who depends on it."""
    depend = f"Registries that depend on it: {len(states)} ({named(state.shown_name for state in states)})."
    if event.gone_at is None:
        said = f" AWS says: {event.message}." if event.message else ""
        return f"{event.event} of the secret {name}.{said} {depend}"
    days = max(0, math.ceil((event.gone_at - now) / _DAY))
    when = datetime.fromtimestamp(event.gone_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"The secret {name} is being deleted and will be gone in {days} days ({when}). {depend}"
