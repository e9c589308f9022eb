"""What an event means: rule, trigger, registries. The same question as `replay`, without side effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cli.loading import LoadedEvent
from cli.rules import matching_rules
from registry_autopilot.definitions import Definition
from registry_autopilot.events import (
    Ignored,
    ImagePushed,
    ParsedEvent,
    Repository,
    RepositoryCreated,
    RepositoryDeleted,
    Unrecognised,
    parse_event,
)
from registry_autopilot.hosts import EcrHost, partition_of_region, render_ecr_host
from registry_autopilot.matching import Home, Lead, Place, leads, registry_name
from registry_autopilot.secret_values import reference_names

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
            found = tuple(leads(definitions, _place(repository), home))
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
        case RepositoryCreated() if meaning.leads:
            return "; ".join(f"make sure that {name!r} is registered" for name in meaning.names)
        case ImagePushed() if meaning.leads:
            return "; ".join(f"make sure that {name!r} is registered, and owe it a sync" for name in meaning.names)
        case event if (secret := getattr(event, "secret_id", None)) is not None:
            users = [d.id for d in definitions if _uses(d, secret)]
            return (
                f"prove and refresh every registry of {', '.join(users)}" if users else "no definition uses the secret"
            )
        case event if (parameter := getattr(event, "parameter", None)) is not None:
            return f"read {parameter} anew and make right what depends on it"
        case _:
            return f"nothing: {meaning.reason}" if meaning.reason else "do what is due"


def _uses(definition: Definition, secret_id: str) -> bool:
    wanted = set(reference_names(secret_id))
    return any(wanted & set(reference_names(own)) for own in definition.secret_ids)


def _place(repository: Repository) -> Place:
    if repository.uri:
        return Place(repository.uri, repository.name)
    partition = partition_of_region(repository.region)
    host = EcrHost(repository.account, repository.region, partition, fips=False, dual_stack=False)
    return Place(render_ecr_host(host), repository.name)


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
