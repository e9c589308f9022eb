"""What reading definitions tells: one incident for each that cannot be used, ended when it can be again."""

from registry_autopilot import causes
from registry_autopilot.incidents import Story
from registry_autopilot.ports import LoadedDefinitions
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.shared import open_shared, resolve_shared


def tell_broken(world: World, loaded: LoadedDefinitions) -> None:
    """Each definition that cannot be used is one incident; one that can be used again resolves it."""
    broken = {causes.subject_of(error): error for error in loaded.broken}
    for subject, error in broken.items():
        story = Story(what=error.detail, kept="Registries made from it before stay as they are.")
        open_shared(world, str(subject), str(subject).replace(":", " "), causes.DEFINITION_INVALID, story)
    for state in world.ledger.systems():
        open_one = state.incident_id is not None and state.cause == causes.DEFINITION_INVALID.slug
        if open_one and state.subject not in broken:
            resolve_shared(world, state.subject, world.clock())
