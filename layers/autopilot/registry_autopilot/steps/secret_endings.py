"""What ends an incident on a secret: a registry proven with its next version, what AWS says of it, or no users left."""

from collections.abc import Callable, Sequence

from registry_autopilot import causes
from registry_autopilot.definitions import Definition
from registry_autopilot.records import RegistryState, SystemState
from registry_autopilot.secret_names import reference_names
from registry_autopilot.steps.attempt import Attempt, World
from registry_autopilot.steps.secret_incidents import AT, ID, VERSIONS, end_incident, facts_of
from registry_autopilot.steps.shared import resolve_shared

_OVER_BY_SUCCESS = {
    causes.CREDENTIALS_REJECTED.slug,
    causes.SECRET_UNREADABLE.slug,
    causes.SECRET_MALFORMED.slug,
}
_TOLD_BY_EVENTS = {causes.ROTATION_FAILED.slug, causes.SECRET_GOING.slug}


def end_by_proof(attempt: Attempt) -> None:
    """A registry was proven with its secrets: a rotation that failed before is made up for by a later version."""
    world = attempt.world
    for secret in attempt.wanted.desired.secrets if attempt.wanted else ():
        name = reference_names(secret.arn)[0]
        state = world.ledger.system(f"secret:{name}")
        if state.incident_id is None or state.cause != causes.ROTATION_FAILED.slug:
            continue
        incident = world.ledger.incident(state.incident_id)
        if incident is not None and _is_newer(secret.version_id, state, facts_of(incident)):
            what = f"The secret {name} has a new current version, proven with {attempt.state.shown_name!r}."
            end_incident(world, state, what)


def end_what_is_over(world: World, definitions: Callable[[], Sequence[Definition]]) -> None:
    """End what no success will: nobody depends on the secret, its last registry was let go elsewhere, AWS says so."""
    for system in world.ledger.systems():
        kind, _, name = system.subject.partition(":")
        if kind == "secret" and system.incident_id is not None:
            _end_if_over(world, system, name, definitions)


def _end_if_over(world: World, system: SystemState, name: str, definitions: Callable[[], Sequence[Definition]]) -> None:
    users = world.ledger.referring(f"secret#{name}")
    if not users and not _is_named(world, definitions(), name):
        end_incident(world, system, f"Nothing depends on the secret {name} any more.")
    elif users and system.cause in _OVER_BY_SUCCESS and not any(_may_be_held(state, name) for state in users):
        resolve_shared(world, system.subject, world.clock())
    elif system.cause in _TOLD_BY_EVENTS and (found := _found_over(world, system)):
        end_incident(world, system, f"{found.format(name=name)}.")


def _found_over(world: World, state: SystemState) -> str | None:
    """Why an incident that an event opened is over, by what AWS says of the secret now; None: nothing says so."""
    incident = world.ledger.incident(state.incident_id) if state.incident_id else None
    facts = facts_of(incident) if incident is not None else {}
    standing = world.versions.standing(facts[ID]) if world.versions and ID in facts else None
    if standing is None:
        return None
    if state.cause == causes.SECRET_GOING.slug:
        return None if standing.is_going else "The secret {name} is not being deleted any more"
    rotated = (standing.rotated_at or 0) > float(facts[AT])
    return "Secrets Manager has rotated the secret {name} since" if rotated else None


def _may_be_held(state: RegistryState, name: str) -> bool:
    """Whether the secret may be what holds a registry back: something does, and it is asked for with this secret."""
    return state.blocked_by is not None and name in {reference_names(one)[0] for one in state.secret_ids}


def _is_named(world: World, definitions: Sequence[Definition], name: str) -> bool:
    named_ids = [*world.rules.own_secrets, *(secret for one in definitions for secret in one.secret_ids)]
    return name in {reference for secret in named_ids for reference in reference_names(secret)}


def _is_newer(version_id: str, state: SystemState, facts: dict[str, str]) -> bool:
    if VERSIONS in facts:
        return version_id not in facts[VERSIONS].split(",")
    return (state.changed_at or 0) > float(facts.get(AT, "0"))
