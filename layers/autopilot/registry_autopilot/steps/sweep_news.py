"""What admins are told of a sweep: that it would write too much, and that events did not come."""

from collections.abc import Sequence

from registry_autopilot import causes
from registry_autopilot.incidents import Story, named
from registry_autopilot.planning import Entry, Plan
from registry_autopilot.ports import EventPath
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.shared import open_shared, resolve_shared


def tell_held(world: World, found: Plan, most: float, *, held: bool, complete: bool) -> None:
    """Say that a sweep would write more than it may, and when that is over."""
    if held:
        story = Story(
            what=f"A sweep would write {found.writes} of {found.checked} registries; {round(most)} are "
            "allowed without being asked for.",
            kept="None of them was handed over; proofs, synchronizations and renewals went on.",
        )
        open_shared(world, "sweep", "the sweep", causes.SWEEP_HELD, story)
    elif complete and world.ledger.system("sweep").cause == causes.SWEEP_HELD.slug:
        story = Story(what="The sweep is below its limit again, or was let through.", kept="Nothing is left to do.")
        resolve_shared(world, "sweep", world.clock(), story=story)


def tell_missed(world: World, path: EventPath, missed: Sequence[Entry], *, complete: bool) -> None:
    """Say once that events did not come, and why as far as that can be known; over when a sweep finds none."""
    if not missed and not complete:
        return
    if not missed:
        story = Story(what="A sweep found nothing that an event had not told.", kept="Nothing is left to do.")
        resolve_shared(world, "missed-events", world.clock(), story=story)
        return
    names = named(entry.name for entry in missed)
    reasons = "; ".join([*_elsewhere(world, missed), *path.doubts()])
    story = Story(
        what=f"No event told of {names} ({missed[0].why}). What is known of the way events take: {reasons}.",
        kept="The sweep has handed the work over; nothing is lost.",
    )
    open_shared(world, "missed-events", "the events from AWS", causes.MISSED_EVENTS, story)


def _elsewhere(world: World, missed: Sequence[Entry]) -> list[str]:
    """Regions and accounts other than the stack's, whose events only come when something forwards them."""
    home = world.home
    places = {tuple(entry.item.location.split(":")[1:]) for entry in missed if entry.item and entry.item.type == "ecr"}
    foreign = sorted(":".join(place) for place in places if place != (home.account, home.region))
    return [f"events of {', '.join(foreign)} reach the stack only if a rule there forwards them"] if foreign else []
