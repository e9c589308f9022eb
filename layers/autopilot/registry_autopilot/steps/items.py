"""Work items: one for a registry that something touched, several for what a definition asks for."""

from collections.abc import Iterable

from registry_autopilot.definitions import Definition
from registry_autopilot.events import Origin, Repository
from registry_autopilot.matching import Lead, Place, leads
from registry_autopilot.records import RegistryState
from registry_autopilot.registry import RegistryType
from registry_autopilot.steps.attempt import World
from registry_autopilot.work import TriggerNote, WorkItem


def due_note(state: RegistryState, now: float) -> TriggerNote:
    """The same due time gives the same note, so that the work queue drops what a second tick repeats."""
    return TriggerNote(kind="Tick", event_id=f"due-{state.rev}", at=state.due_at or now)


def note_of(kind: str, origin: Origin, subject: str) -> TriggerNote:
    """What history keeps of an event."""
    return TriggerNote(
        kind=kind, event_id=origin.event_id, at=origin.at.timestamp(), principal=origin.principal, subject=subject
    )


def item_of(lead: Lead, endpoint: str, repository: str | None, note: TriggerNote, pushed_at: float | None) -> WorkItem:
    """The registry that a definition leads to; `pushed_at`: when news of its content arrived."""
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


def asked_for(world: World, definition: Definition, note: TriggerNote) -> list[WorkItem]:
    """The registries of a definition: a basic one by its endpoint, others by the repositories that exist."""
    if definition.type is RegistryType.BASIC and definition.endpoint and not definition.is_family:
        place = Place(definition.endpoint, None)
        return [item_of(lead, definition.endpoint, None, note, None) for lead in leads([definition], place, world.home)]
    if definition.manage == "sync-only":
        return []
    return list(_from_repositories(world, definition, note))


def _from_repositories(world: World, definition: Definition, note: TriggerNote) -> Iterable[WorkItem]:
    home, seen = world.home, set[str]()
    for account in definition.match.accounts or (home.account,):
        for region in definition.match.regions or (home.region,):
            role = definition.match.reader(account)
            for one in world.repositories.listed(account, region, role):
                host = one.uri.partition("/")[0]
                for lead in leads([definition], Place(host, one.name), home):
                    repository = Repository(account, region, one.name, one.uri)
                    if lead.identity.key not in seen and is_kept(world, role, repository):
                        seen.add(lead.identity.key)
                        yield item_of(lead, host, one.name, note, None)


def is_kept(world: World, role: str | None, repository: Repository) -> bool:
    """Whether a repository exists and is not tagged to be left alone."""
    found = world.repositories.find(repository, role)
    return found is not None and not found.ignored
