"""Which definitions a repository touches, and which one wins where several lead to the same registry. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import Definition, invalid
from registry_autopilot.events import Repository
from registry_autopilot.hosts import (
    VERTEX_PARTITIONS,
    EcrHost,
    normalise_endpoint,
    parse_ecr_host,
    partition_of_region,
    render_ecr_host,
    with_form,
)
from registry_autopilot.registry import Identity, Provider, RegistryType, normalise_base_path

# VerteX's fixed layout of pack content: <base>/spectro-packs/archive[/<pack>] (add-pack-oci-ecr page of its docs).
_PACK_LAYOUT = re.compile(r"^(?:(?P<base>.+?)/)?spectro-packs/archive(?:/.+)?$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where content lies: an endpoint and, where an event or DescribeRepositories told one, a repository there.

    Attributes:
        endpoint: host as the event's `repositoryUri` has it, or the endpoint of a basic definition.
        repository: a repository name; None for a registry that no ECR repository stands for.
    """

    endpoint: str
    repository: str | None

    @property
    def host(self) -> EcrHost | None:
        """The endpoint read by the ECR host grammar."""
        return parse_ecr_host(self.endpoint)


@dataclass(frozen=True, slots=True)
class Home:
    """The stack's own account and region: what an empty `match.accounts` or `match.regions` means."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Lead:
    """One definition that leads to an identity, with the rank that decides among several."""

    definition: Definition
    identity: Identity
    rank: tuple[bool, int]

    @property
    def base_content_path(self) -> str:
        """Base content path of the registry."""
        return self.identity.base_content_path


def place_of(repository: Repository) -> Place:
    """Where a repository lies.

    Without a `repositoryUri` the host is made up from account and region: good for matching, since those decide, and
    never written anywhere.
    """
    if repository.uri:
        return Place(repository.uri, repository.name)
    partition = partition_of_region(repository.region)
    host = EcrHost(repository.account, repository.region, partition, fips=False, dual_stack=False)
    return Place(render_ecr_host(host), repository.name)


def derive_base_path(provider: Provider, repository: str) -> str | None:
    """The base content path under which VerteX finds a repository; None when it lies outside VerteX's pack layout."""
    if provider is Provider.PACK:
        found = _PACK_LAYOUT.match(repository)
        return normalise_base_path(found["base"] or "/") if found else None
    return normalise_base_path(repository.rpartition("/")[0])


def lead_of(definition: Definition, place: Place, home: Home) -> Lead | None:
    """Where a definition leads for a place; None when it does not count it."""
    location = _location(definition, place, home)
    base = _base_path(definition, place.repository)
    if location is None or base is None:
        return None
    identity = Identity(definition.type, definition.provider, location, base)
    return Lead(definition, identity, (not definition.is_family, _literal_prefix(definition, place.repository)))


def leads(definitions: Iterable[Definition], place: Place, home: Home) -> list[Lead]:
    """Every definition that matches a place, one winner for each identity it leads to.

    A tie is left in the result as its first definition by id; `winner` raises it where the work is done.
    """
    found = [lead for d in definitions if (lead := lead_of(d, place, home))]
    identities = sorted({lead.identity for lead in found})
    return [_ranked([lead for lead in found if lead.identity == identity])[0] for identity in identities]


def winner(definitions: Iterable[Definition], place: Place, home: Home, identity: Identity) -> Lead | None:
    """The definition that governs an identity: fixed before family, then the longer literal prefix.

    Raises:
        AutopilotError: definition-invalid when two definitions are equally close.
    """
    found = [lead for d in definitions if (lead := lead_of(d, place, home)) and lead.identity == identity]
    if not found:
        return None
    first, *rest = _ranked(found)
    if rest and rest[0].rank == first.rank:
        rivals = ", ".join(sorted(lead.definition.id for lead in found if lead.rank == first.rank))
        raise AutopilotError(
            causes.DEFINITION_INVALID,
            f"the definitions {rivals} lead to the same registry ({identity.base_content_path} at "
            f"{identity.location}) and none is closer; remove one or narrow its match.repositories",
        )
    return first


def registry_name(definition: Definition, identity: Identity) -> str:
    """The name in VerteX; a `/` of the base path becomes `-`, because VerteX before 4.10 stumbles over `/` in names."""
    base = identity.base_content_path
    host = parse_ecr_host(identity.location)
    _, account, region = ("", host.account, host.region) if host else (*identity.location.split(":"), "", "")[:3]
    values = {"account": account, "region": region, "base": "root" if base == "/" else base.replace("/", "-")}
    return re.sub(r"\{(account|region|base)\}", lambda m: values[m[1]], definition.name)


def wanted_endpoint(definition: Definition, place: Place) -> str:
    """The endpoint of a new registry: an ECR host in the form the definition asks for, else as given.

    Raises:
        AutopilotError: definition-invalid where the partition has no such form, or VerteX does not know it.
    """
    host = place.host
    if definition.type is RegistryType.BASIC or host is None:
        return definition.endpoint or place.endpoint
    if host.partition not in VERTEX_PARTITIONS:
        raise invalid(
            definition.id,
            f"match: VerteX has no ECR registries in partition {host.partition}; use a basic registry instead",
        )
    try:
        return render_ecr_host(with_form(host, definition.endpoint_form))
    except ValueError as error:
        raise invalid(definition.id, f"endpoint_form: {error}") from None


def location_of(type_: RegistryType, endpoint: str, default_region: str | None = None) -> str:
    """The part of an identity that stands for the endpoint: (partition, account, region) for ECR, else host and path.

    Raises:
        ValueError: the endpoint cannot be read.
    """
    host = parse_ecr_host(endpoint, default_region=default_region)
    if type_ is RegistryType.ECR and host is not None:
        return host.location
    return normalise_endpoint(endpoint)


def _location(definition: Definition, place: Place, home: Home) -> str | None:
    host = place.host
    if definition.type is RegistryType.BASIC:
        return _basic_location(definition, place, host)
    if host is None:
        return None
    accounts = definition.match.accounts or (home.account,)
    regions = definition.match.regions or (home.region,)
    return host.location if host.account in accounts and host.region in regions else None


def _basic_location(definition: Definition, place: Place, host: EcrHost | None) -> str | None:
    """A basic registry counts a repository only when its endpoint is that repository's ECR registry."""
    endpoint = definition.endpoint or ""
    location = normalise_endpoint(endpoint)
    own = parse_ecr_host(endpoint)
    if place.repository is None:
        return location if normalise_endpoint(place.endpoint) == location else None
    return location if own is not None and host is not None and own.location == host.location else None


def _base_path(definition: Definition, repository: str | None) -> str | None:
    fixed = definition.base_content_path
    if repository is None:
        return fixed
    globs = definition.match.repositories
    if globs and not any(fnmatchcase(repository, glob) for glob in globs):
        return None
    derived = derive_base_path(definition.provider, repository)
    if fixed is None:
        return derived
    if definition.provider is Provider.PACK:
        return fixed if derived == fixed else None
    return fixed if fixed == "/" or repository.startswith(f"{fixed}/") else None


def _literal_prefix(definition: Definition, repository: str | None) -> int:
    globs: Sequence[str] = definition.match.repositories
    matching = [g for g in globs if repository is None or fnmatchcase(repository, g)]
    return max((len(re.split(r"[*?\[]", glob, maxsplit=1)[0]) for glob in matching), default=0)


def _ranked(found: list[Lead]) -> list[Lead]:
    by_id = sorted(found, key=lambda lead: lead.definition.id)
    return sorted(by_id, key=lambda lead: lead.rank, reverse=True)
