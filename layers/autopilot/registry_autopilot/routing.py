"""Route: each event answers one question, which registries does it touch? Their work items go to the work queue."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError, Cause
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
from registry_autopilot.matching import Lead, Place, leads, place_of
from registry_autopilot.ports import FoundRepository, LoadedDefinitions, WorkQueue
from registry_autopilot.records import RegistryState, TriggerNote, WorkItem, merge_items
from registry_autopilot.registry import RegistryType
from registry_autopilot.secret_values import reference_names
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.reading import tell_broken
from registry_autopilot.steps.shared import open_shared, resolve_shared

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


def route(messages: Sequence[Message], world: World, queue: WorkQueue, *, mode_parameter: str) -> Routed:
    """Turn a batch into work items, one per registry touched. A message that fails is left to redelivery alone."""
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
    return routed


class _Router:
    """Reads definitions once per batch, and asks ECR once per registry and batch."""

    def __init__(self, world: World, mode_parameter: str) -> None:
        self._world = world
        self._mode_parameter = mode_parameter
        self._loaded: LoadedDefinitions | None = None
        self._alive: dict[str, str] = {}

    def items_for(self, message: Message) -> list[WorkItem]:
        event = parse_body(message.body)
        self._world.metrics.count("EventsReceived", outcome=type(event).__name__)
        match event:
            case Tick():
                return self._due()
            case RepositoryCreated(origin=origin, repository=repository):
                return self._touched(origin, repository, "RepositoryCreated", pushed=False)
            case ImagePushed(origin=origin, repository=repository):
                return self._touched(origin, repository, "ImagePushed", pushed=True)
            case SecretChanged(origin=origin, secret_id=secret_id):
                return self._using(origin, secret_id)
            case RotationFailed():
                return self._rotation_failed(event)
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
        for incident_id in incident_ids:
            self._world.ledger.touch_incident(incident_id, now)
        self._end_what_is_quiet(now)
        return [state.work(_due_note(state, now)) for state in states]

    def _end_what_is_quiet(self, now: float) -> None:
        """An unrecognised event is told once; when none came for a while, the next one is news again."""
        state = self._world.ledger.system("events")
        if state.incident_id is not None and state.retry_at is not None and state.retry_at <= now:
            story = Story(what="No further event of this kind came.", kept="The events are kept in the quarantine.")
            resolve_shared(self._world, "events", now, story=story)

    def _touched(self, origin: Origin, repository: Repository, kind: str, *, pushed: bool) -> list[WorkItem]:
        """The registries in which a repository lies, unless it is gone or tagged to be left alone."""
        found = leads(self._definitions, place_of(repository), self._world.home)
        if not found:
            self._world.metrics.count("EventsUnmatched")
            return []
        endpoint = self._endpoint(repository, found)
        if endpoint is None:
            return []
        note = _note(kind, origin, f"{repository.name}")
        arrived = self._world.clock() if pushed else None
        return [_item(lead, endpoint, repository.name, note, arrived) for lead in found]

    def _endpoint(self, repository: Repository, found: Sequence[Lead]) -> str | None:
        """The repository's registry host as ECR tells it now; asked once per registry, host and batch."""
        keys = [lead.identity.key + str(repository.uri).partition("/")[0] for lead in found]
        if all(key in self._alive for key in keys):
            return self._alive[keys[0]]
        alive = self._look_up(repository)
        if alive is None or alive.ignored:
            self._world.metrics.count("RepositoriesLeftAlone")
            return None
        endpoint = (repository.uri or alive.uri).partition("/")[0]
        self._alive.update(dict.fromkeys(keys, endpoint))
        return endpoint

    def _look_up(self, repository: Repository) -> FoundRepository | None:
        """What ECR says; where it may not be asked, an admin is told and the event's own word is taken."""
        try:
            found = self._world.repositories.find(repository)
            self._end(f"account:{repository.account}", causes.ACCESS_DENIED)
            return found
        except AutopilotError as error:
            story = Story(what=error.detail, kept="Nothing was written for it.")
            subject = causes.subject_of(error) or "ecr"
            open_shared(self._world, subject, subject.replace(":", " "), error.cause, story)
            return FoundRepository(repository.uri, ignored=False) if repository.uri else None

    def _using(self, origin: Origin, secret_id: str) -> list[WorkItem]:
        """Every registry whose definition names the secret, as the ledger recorded it at first routing.

        The stack's own secrets count for every registry that waits for VerteX.
        """
        note = _note("SecretChanged", origin, secret_id)
        names = reference_names(secret_id)
        for name in names:
            self._end(f"secret:{name}", causes.ROTATION_FAILED, causes.SECRET_GOING)
        own = {reference_names(arn)[0] for arn in self._world.rules.own_secrets}
        waiting = self._world.ledger.referring("blocked#vertex") if own & set(names) else []
        return [state.work(note) for state in [*self._referring_secret(secret_id), *waiting]]

    def _end(self, subject: str, *ended: Cause) -> None:
        """Resolve what an event proves to be over."""
        if self._world.ledger.system(subject).cause in {cause.slug for cause in ended}:
            resolve_shared(self._world, subject, self._world.clock())

    def _rotation_failed(self, event: RotationFailed) -> list[WorkItem]:
        states = self._referring_secret(event.secret_id)
        if states:
            name = reference_names(event.secret_id)[0]
            cause = causes.SECRET_GOING if event.event == "DeleteSecret" else causes.ROTATION_FAILED
            names = ", ".join(sorted(state.shown_name for state in states)[:10])
            story = Story(
                what=f"{event.event} of the secret {name}; {len(states)} registries depend on it: {names}",
                kept="The version applied last stays in use.",
                trigger=event.origin.principal,
            )
            open_shared(self._world, f"secret:{name}", f"the secret {name}", cause, story)
        return []

    def _referring_secret(self, secret_id: str) -> list[RegistryState]:
        found: dict[str, RegistryState] = {}
        for name in reference_names(secret_id):
            found |= {state.key: state for state in self._world.ledger.referring(f"secret#{name}")}
        return list(found.values())

    def _redefined(self, event: DefinitionChanged) -> list[WorkItem]:
        """A definition or the mode changed: the registries that depend on it, and those it now asks for."""
        note = _note("DefinitionChanged", event.origin, event.parameter)
        if event.parameter == self._mode_parameter:
            return [state.work(note) for state in self._world.ledger.referring("blocked#mode")]
        definition_id = event.parameter.rpartition("/")[2]
        known = [state.work(note) for state in self._world.ledger.referring(f"definition#{definition_id}")]
        definition = next((d for d in self._definitions if d.id == definition_id), None)
        return known + (self._asked_for(definition, note) if definition else [])

    def _asked_for(self, definition: Definition, note: TriggerNote) -> list[WorkItem]:
        """The registries of a definition: a basic one by its endpoint, others by the repositories that exist."""
        home = self._world.home
        if definition.type is RegistryType.BASIC and definition.endpoint and not definition.is_family:
            place = Place(definition.endpoint, None)
            return [_item(lead, definition.endpoint, None, note, None) for lead in leads([definition], place, home)]
        if definition.manage == "sync-only":
            return []
        return list(self._from_repositories(definition, note))

    def _from_repositories(self, definition: Definition, note: TriggerNote) -> Iterable[WorkItem]:
        home, seen = self._world.home, set[str]()
        for account in definition.match.accounts or (home.account,):
            for region in definition.match.regions or (home.region,):
                for name, uri in self._world.repositories.list_names(account, region):
                    for lead in leads([definition], Place(uri.partition("/")[0], name), home):
                        if lead.identity.key not in seen and self._is_kept(account, region, name, uri):
                            seen.add(lead.identity.key)
                            yield _item(lead, uri.partition("/")[0], name, note, None)

    def _is_kept(self, account: str, region: str, name: str, uri: str) -> bool:
        found = self._world.repositories.find(Repository(account=account, region=region, name=name, uri=uri))
        return found is not None and not found.ignored

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


def _due_note(state: RegistryState, now: float) -> TriggerNote:
    """The same due time gives the same note, so that the work queue drops what a second tick repeats."""
    return TriggerNote(kind="Tick", event_id=f"due-{state.rev}", at=state.due_at or now)


def _note(kind: str, origin: Origin, subject: str) -> TriggerNote:
    return TriggerNote(
        kind=kind, event_id=origin.event_id, at=origin.at.timestamp(), principal=origin.principal, subject=subject
    )


def _item(lead: Lead, endpoint: str, repository: str | None, note: TriggerNote, pushed_at: float | None) -> WorkItem:
    identity = lead.identity
    return WorkItem(
        type=identity.type,
        provider=identity.provider,
        location=identity.location,
        base_content_path=identity.base_content_path,
        definition_id=lead.definition.id,
        endpoint=endpoint,
        repository=repository,
        triggers=(note,),
        pushed_first=pushed_at,
        pushed_last=pushed_at,
        happened_last=note.at if pushed_at is not None else None,
    )
