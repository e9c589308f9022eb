"""Route: each event answers one question, which registries does it touch? Their work items go to the work queue."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import Definition
from registry_autopilot.events import (
    DefinitionChanged,
    ImagePushed,
    Origin,
    Repository,
    RepositoryCreated,
    RotationFailed,
    SecretChanged,
    Tick,
    Unrecognised,
    parse_body,
)
from registry_autopilot.incidents import Story
from registry_autopilot.matching import Lead, leads, place_of
from registry_autopilot.ports import FoundRepository, LoadedDefinitions, WorkQueue
from registry_autopilot.steps import secret_news
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.chores import look_after_incidents
from registry_autopilot.steps.items import asked_for, due_note, item_of, note_of
from registry_autopilot.steps.reading import tell_broken
from registry_autopilot.steps.shared import end_shared, open_shared
from registry_autopilot.work import WorkItem, merge_items

DUE_PER_TICK = 500
QUIET_SECONDS = 3600  # without an unrecognised event, until the next one is told again


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the events queue."""

    id: str
    body: str


@dataclass(slots=True)
class Routed:
    """What a batch of messages led to."""

    failed: list[str] = field(default_factory=list)
    items: list[WorkItem] = field(default_factory=list)


def route(
    messages: Sequence[Message],
    world: World,
    queue: WorkQueue,
    *,
    mode_parameter: str,
    on_tick: Callable[[], None] = lambda: None,
) -> Routed:
    """Turn a batch into work items, one per registry touched. A message that fails is left to redelivery alone.

    Args:
        messages: what was received.
        world: the collaborators.
        queue: where the work items go.
        mode_parameter: name of the parameter that holds the mode.
        on_tick: done after the work was handed over, when a tick was among the messages; must not raise.
    """
    router = _Router(world, mode_parameter)
    routed = Routed()
    for message in messages:
        try:
            routed.items += router.items_for(message)
        except Exception:  # one bad message must not hold up the others; it is counted and redelivered
            world.metrics.count("EventsFailed")
            routed.failed.append(message.id)
    routed.items = merge_items(routed.items)
    queue.put(routed.items)
    if router.ticked:
        on_tick()
    return routed


class _Router:
    """Reads definitions once per batch, and asks ECR once per registry and batch."""

    def __init__(self, world: World, mode_parameter: str) -> None:
        self._world = world
        self._mode_parameter = mode_parameter
        self._loaded: LoadedDefinitions | None = None
        self._alive: dict[str, str] = {}
        self.ticked = False

    def items_for(self, message: Message) -> list[WorkItem]:
        event = parse_body(message.body)
        self._world.metrics.count("EventsReceived", outcome=type(event).__name__)
        match event:
            case Tick():
                items, self.ticked = self._due(), True
                self._world.metrics.count("TicksHandled")
                return items
            case RepositoryCreated(origin=origin, repository=repository):
                return self._touched(origin, repository, "RepositoryCreated", pushed=False)
            case ImagePushed(origin=origin, repository=repository):
                return self._touched(origin, repository, "ImagePushed", pushed=True)
            case SecretChanged():
                return secret_news.using(self._world, event, self._definitions)
            case RotationFailed():
                secret_news.failed(self._world, event, self._definitions)
                return []
            case DefinitionChanged():
                return self._redefined(event)
            case Unrecognised():
                return self._quarantine(event, message)
            case _:
                return []

    @property
    def _definitions(self) -> tuple[Definition, ...]:
        if self._loaded is None:
            self._loaded = self._world.definitions.load()
            tell_broken(self._world, self._loaded)
        return self._loaded.usable

    def _due(self) -> list[WorkItem]:
        """What the ledger says is due now; the tick sends no request to VerteX."""
        now = self._world.clock()
        states, incident_ids = self._world.ledger.due(now, DUE_PER_TICK)
        look_after_incidents(self._world, incident_ids, lambda: self._definitions, now)
        return [state.work(due_note(state, now)) for state in states]

    def _touched(self, origin: Origin, repository: Repository, kind: str, *, pushed: bool) -> list[WorkItem]:
        """The registries in which a repository lies, unless it is gone or tagged to be left alone."""
        found = leads(self._definitions, place_of(repository), self._world.home)
        if not found:
            self._world.metrics.count("EventsUnmatched")
            return []
        endpoint = self._endpoint(repository, found)
        if endpoint is None:
            return []
        note = note_of(kind, origin, f"{repository.name}")
        arrived = self._world.clock() if pushed else None
        return [item_of(lead, endpoint, repository.name, note, arrived) for lead in found]

    def _endpoint(self, repository: Repository, found: Sequence[Lead]) -> str | None:
        """The repository's registry host as ECR tells it now; asked once per registry, host and batch."""
        keys = [lead.identity.key + str(repository.uri).partition("/")[0] for lead in found]
        if all(key in self._alive for key in keys):
            return self._alive[keys[0]]
        reader = next((role for lead in found if (role := lead.definition.match.reader(repository.account))), None)
        alive = self._look_up(repository, reader)
        if alive is None or alive.ignored:
            self._world.metrics.count("RepositoriesLeftAlone")
            return None
        endpoint = (repository.uri or alive.uri).partition("/")[0]
        self._alive.update(dict.fromkeys(keys, endpoint))
        return endpoint

    def _look_up(self, repository: Repository, role: str | None) -> FoundRepository | None:
        """What ECR says; where it may not be asked, an admin is told and the event's own word is taken."""
        try:
            found = self._world.repositories.find(repository, role)
            end_shared(self._world, f"account:{repository.account}", causes.ACCESS_DENIED)
            return found
        except AutopilotError as error:
            story = Story(what=error.detail, kept="Nothing was written for it.")
            subject = causes.subject_of(error) or "ecr"
            open_shared(self._world, subject, subject.replace(":", " "), error.cause, story)
            return FoundRepository(repository.uri, ignored=False) if repository.uri else None

    def _redefined(self, event: DefinitionChanged) -> list[WorkItem]:
        """A definition or the mode changed: the registries that depend on it, and those it now asks for."""
        note = note_of("DefinitionChanged", event.origin, event.parameter)
        if event.parameter == self._mode_parameter:
            return [state.work(note) for state in self._world.ledger.referring("blocked#mode")]
        definition_id = event.parameter.rpartition("/")[2]
        known = [state.work(note) for state in self._world.ledger.referring(f"definition#{definition_id}")]
        definition = next((d for d in self._definitions if d.id == definition_id), None)
        return known + (asked_for(self._world, definition, note) if definition else [])

    def _quarantine(self, event: Unrecognised, message: Message) -> list[WorkItem]:
        """Keep what could not be read, and tell it once."""
        origin = event.origin
        event_id = origin.event_id if origin else message.id
        self._world.ledger.quarantine(event_id, event.reason, message.body, self._world.clock())
        story = Story(
            what=f"The event {event_id} could not be understood: {event.reason}.",
            kept="Nothing was written; the event is kept in the ledger's quarantine.",
            trigger=origin.principal if origin else None,
        )
        quiet_at = self._world.clock() + QUIET_SECONDS
        open_shared(self._world, "events", "an event from AWS", causes.UNRECOGNISED_EVENT, story, retry_at=quiet_at)
        return []
