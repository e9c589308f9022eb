"""What the tick does about incidents, beside handing over what is due: remind, prompt anew, end what is over.

None of it may hold up the work that is due: a chore that fails is counted, and done by the next tick.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from registry_autopilot.definitions import Definition
from registry_autopilot.incidents import Story
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.remind import remind_or_prompt
from registry_autopilot.steps.secret_endings import end_what_is_over
from registry_autopilot.steps.shared import end_quiet_ones, resolve_shared


def look_after_incidents(
    world: World, due: Iterable[str], definitions: Callable[[], Sequence[Definition]], now: float
) -> None:
    """Remind of what is due; end what is quiet, over, or nobody's business any more. Never raises."""
    for incident_id in due:
        _do(world, "reminders", partial(remind_or_prompt, world, incident_id, now))
    _do(world, "quiet", partial(end_quiet_ones, world, now))
    _do(world, "events", partial(_end_unrecognised_events, world, now))
    _do(world, "mode", partial(_end_held_back, world, now))
    _do(world, "secrets", partial(end_what_is_over, world, definitions))


def _do(world: World, name: str, chore: Callable[[], None]) -> None:
    try:
        chore()
    except Exception:  # a service that cannot be asked must not keep what is due from being done
        world.metrics.count("ChecksFailed", check=name)


def _end_held_back(world: World, now: float) -> None:
    """What the mode held back may have been refused, or blocked by something else, before the mode let it go."""
    if world.ledger.system("mode").incident_id is not None and not world.ledger.referring("blocked#mode"):
        story = Story(
            what="Nothing is held back by the mode any more.", kept="What is wrong has an incident of its own."
        )
        resolve_shared(world, "mode", now, story=story)


def _end_unrecognised_events(world: World, now: float) -> None:
    """An unrecognised event is told once; when none came for a while, the next one is news again."""
    state = world.ledger.system("events")
    if state.incident_id is not None and state.retry_at is not None and state.retry_at <= now:
        story = Story(what="No further event of this kind came.", kept="The events are kept in the quarantine.")
        resolve_shared(world, "events", now, story=story)
