"""News of a secret: which registries it touches, and what is told of one that fails or goes."""

from collections.abc import Sequence

from registry_autopilot.definitions import Definition
from registry_autopilot.events import RotationFailed, SecretChanged
from registry_autopilot.records import RegistryState
from registry_autopilot.secret_names import SecretPlace, reference_names
from registry_autopilot.steps import secret_incidents
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.items import asked_for, note_of
from registry_autopilot.steps.secret_incidents import Users
from registry_autopilot.work import TriggerNote, WorkItem


def using(world: World, event: SecretChanged, definitions: Sequence[Definition]) -> list[WorkItem]:
    """Every registry whose definition names the secret, as the ledger recorded it at first routing.

    The stack's own secrets count for every registry that waits for VerteX. The name alone decides here: the event is
    a hint to read the secret again, which costs nothing where it is another one.
    """
    note = note_of("SecretChanged", event.origin, event.secret_id)
    names = set(reference_names(event.secret_id))
    users = users_of(world, event, definitions)
    if users.exist:
        secret_incidents.note_change(world, event, users)
    waiting = world.ledger.referring("blocked#vertex") if users.is_own else []
    known = _depending(world, names)
    return [state.work(note) for state in [*known, *waiting]] + _never_routed(world, names, known, definitions, note)


def failed(world: World, event: RotationFailed, definitions: Sequence[Definition]) -> None:
    """Open an incident on the secret, when anything depends on it."""
    users = users_of(world, event, definitions)
    if users.exist:
        secret_incidents.tell_failure(world, event, users)


def users_of(world: World, event: SecretChanged | RotationFailed, definitions: Sequence[Definition]) -> Users:
    """Who depends on the very secret that an event is about: one of this name, account and region."""
    place = SecretPlace.of(event.secret_id, event.origin.account, event.origin.region)

    def uses(secret_ids: Sequence[str]) -> bool:
        home = world.home
        return any(place.may_be(SecretPlace.of(one, home.account, home.region)) for one in secret_ids)

    states = [s for s in _depending(world, set(place.names)) if uses([*s.secret_ids, *(u.arn for u in s.secrets)])]
    return Users(
        name=_told_name(place.names, states),
        states=tuple(states),
        definitions=tuple(d.id for d in definitions if uses(d.secret_ids)),
        is_own=uses(world.rules.own_secrets),
    )


def _told_name(names: Sequence[str], states: Sequence[RegistryState]) -> str:
    """The name under which the secret's users have it, where an ARN can be read in two ways."""
    used = {reference_names(secret.arn)[0] for state in states for secret in state.secrets}
    return next((name for name in names if name in used), names[0])


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
