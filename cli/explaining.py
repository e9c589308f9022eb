"""What an event means: rule, trigger, registries. The same question as `replay`, without side effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cli.loading import LoadedEvent
from cli.rules import matching_rules
from registry_autopilot.aws.repositories import IGNORE_TAG
from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import Definition
from registry_autopilot.events import (
    DefinitionChanged,
    Ignored,
    ImagePushed,
    ParsedEvent,
    RepositoryCreated,
    RepositoryDeleted,
    RotationFailed,
    SecretChanged,
    Unrecognised,
    parse_event,
)
from registry_autopilot.matching import Home, Lead, Place, leads, place_of, registry_name, wanted_endpoint, winner
from registry_autopilot.secret_names import reference_names

HOME = Home("123456789012", "us-east-1")  # account and region of the sandbox


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an event leads to.

    Attributes:
        reason: why nothing follows, where nothing does.
    """

    event: ParsedEvent
    leads: tuple[Lead, ...] = ()
    reason: str | None = None

    @property
    def trigger(self) -> str:
        """Name of the trigger, or `Ignored`, or `Unrecognised`."""
        return type(self.event).__name__

    @property
    def names(self) -> list[str]:
        """Names of the registries, as the definitions give them."""
        return [registry_name(lead.definition, lead.identity) for lead in self.leads]

    @property
    def keys(self) -> list[str]:
        """Ledger keys of the registries."""
        return [lead.identity.key for lead in self.leads]

    @property
    def event_id(self) -> str | None:
        """Id under which history knows the event."""
        origin = self.event.origin
        return origin.event_id if origin is not None else None


def explain(events: Sequence[LoadedEvent], definitions: Sequence[Definition]) -> dict[str, Any]:
    """Each event with the rules it matches, and what it would lead to."""
    return {"events": [_explained(event, definitions) for event in events]}


def meaning_of(envelope: Any, definitions: Sequence[Definition], home: Home) -> Meaning:
    """Parse and match one event."""
    event = parse_event(envelope)
    match event:
        case Ignored(reason=reason) | Unrecognised(reason=reason):
            return Meaning(event, reason=reason)
        case RepositoryCreated(repository=repository) | ImagePushed(repository=repository):
            found = tuple(leads(definitions, place_of(repository), home))
            return Meaning(event, found, None if found else "no definition matches the repository")
        case RepositoryDeleted():
            return Meaning(event, reason="a deleted repository changes no registry")
        case _:
            return Meaning(event)


def in_words(meaning: Meaning, definitions: Sequence[Definition]) -> str:
    """What would be done."""
    match meaning.event:
        case Ignored():
            return f"ignored: {meaning.reason}"
        case Unrecognised():
            return f"quarantined, with an incident: {meaning.reason}"
        case _ if meaning.reason:
            return f"nothing: {meaning.reason}"
        case RepositoryCreated(tags=tags) if IGNORE_TAG in tags.items():
            return f"nothing: the repository is tagged {'='.join(IGNORE_TAG)}"
        case RepositoryCreated(repository=repository) | ImagePushed(repository=repository):
            pushed = isinstance(meaning.event, ImagePushed)
            place = place_of(repository)
            return "; ".join(_for_lead(lead, place, definitions, pushed=pushed) for lead in meaning.leads)
        case SecretChanged(secret_id=secret_id) | RotationFailed(secret_id=secret_id):
            return _for_secret(meaning.event, [d.id for d in definitions if _uses(d, secret_id)])
        case DefinitionChanged(parameter=parameter):
            return f"read {parameter} anew, and make right each registry that depends on it"
        case _:
            return "do what is due"


def _for_lead(lead: Lead, place: Place, definitions: Sequence[Definition], *, pushed: bool) -> str:
    definition, name = lead.definition, registry_name(lead.definition, lead.identity)
    try:
        winner(definitions, place, HOME, lead.identity)
        wanted_endpoint(definition, place)
    except AutopilotError as error:
        return f"refuse {name!r}, with an incident {error.cause.slug}: {error.detail}"
    if definition.manage == "sync-only":
        return f"owe {name!r} a sync" if pushed else f"nothing for {name!r}: it is only synced, once content is pushed"
    found = "refresh one made by somebody else" if definition.adopts else "report one made by somebody else"
    owed = ", and owe it a sync" if pushed and definition.synchronize else ""
    return f"validate and create {name!r} unless it is there ({found}){owed}"


def _for_secret(event: SecretChanged | RotationFailed, users: Sequence[str]) -> str:
    if not users:
        return "nothing: no definition uses the secret"
    registries = f"every registry of {', '.join(users)}"
    if isinstance(event, RotationFailed):
        return f"tell admins of {event.event}; {registries} keeps the version applied last"
    return f"validate {registries} with the new version, and only then refresh it"


def _uses(definition: Definition, secret_id: str) -> bool:
    wanted = set(reference_names(secret_id))
    return any(wanted & set(reference_names(own)) for own in definition.secret_ids)


def _explained(event: LoadedEvent, definitions: Sequence[Definition]) -> dict[str, Any]:
    meaning, matched = meaning_of(event.envelope, definitions, HOME), matching_rules(event.envelope)
    would = in_words(meaning, definitions) if matched else _unmatched(meaning)
    return {
        "file": event.file,
        "matched": matched,
        "trigger": meaning.trigger,
        "registries": meaning.names if matched else [],
        "would": would,
    }


def _unmatched(meaning: Meaning) -> str:
    because = f" ({meaning.reason})" if meaning.reason else ""
    return f"ignored: no rule of the stack matches it{because}"
