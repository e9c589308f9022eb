"""Collaborators in memory, and a clock that the test moves."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import parse_definition
from registry_autopilot.diagnosis import Target
from registry_autopilot.events import Repository
from registry_autopilot.hosts import EcrHost, partition_of_region, render_ecr_host
from registry_autopilot.incidents import Change, Incident
from registry_autopilot.ports import (
    ChannelError,
    FoundRepository,
    IssuedToken,
    ListedRepository,
    LoadedDefinitions,
    Mode,
    Proof,
    SecretStanding,
    SecretVersion,
    Unit,
    Verdict,
)
from registry_autopilot.records import HistoryEntry
from registry_autopilot.registry import CredentialValues, digest
from registry_autopilot.secret_values import SecretValue
from registry_autopilot.work import WorkItem

ACCOUNT = "123456789012"
REGION = "us-east-1"
START = 1_790_000_000.0


@dataclass(slots=True)
class VirtualClock:
    """Seconds since the epoch, moved by hand."""

    now: float = START

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class FakeDefinitions:
    """Definitions and mode that a test changes."""

    def __init__(self, documents: Sequence[dict[str, Any]], mode: Mode = Mode.ACT) -> None:
        self.documents = list(documents)
        self.current_mode = mode

    def load(self) -> LoadedDefinitions:
        usable, broken = [], []
        for document in self.documents:
            try:
                usable.append(parse_definition(document, definition_id=document["id"]))
            except AutopilotError as error:
                broken.append(error)
        return LoadedDefinitions(tuple(usable), tuple(broken))

    def mode(self) -> Mode:
        return self.current_mode


class FakeSecrets:
    """Secrets with versions: a put moves AWSCURRENT."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.versions: dict[str, list[tuple[str, str, float]]] = {}
        self.going: set[str] = set()
        self.rotated_at: dict[str, float] = {}
        self.reads = 0

    def put(self, name: str, value: object) -> str:
        versions = self.versions.setdefault(name, [])
        version = f"00000000-0000-4000-8000-{len(versions) + 1:012d}"
        versions.append((version, value if isinstance(value, str) else json.dumps(value), self._clock()))
        return version

    def roll_back(self, name: str) -> None:
        """AWSCURRENT goes back to the version before."""
        versions = self.versions[name]
        versions.append(versions.pop(-2))

    def read(self, secret_id: str) -> SecretValue:
        self.reads += 1
        name = secret_id.rsplit(":secret:", maxsplit=1)[-1].removesuffix("-AbCdEf")
        if not self.versions.get(name):
            raise AutopilotError(
                causes.SECRET_UNREADABLE, f"the secret {secret_id} does not exist", subject=f"secret:{name}"
            )
        version, text, created = self.versions[name][-1]
        arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-AbCdEf"
        return SecretValue(arn, name, version, SecretStr(text), created)


@dataclass(slots=True)
class FakeVersions:
    """What DescribeSecret tells of the secrets."""

    secrets: FakeSecrets

    def current(self, secret_id: str) -> SecretVersion | None:
        try:
            value = self.secrets.read(secret_id)
        except AutopilotError:
            return None
        return SecretVersion(value.arn, value.version_id, value.created_at)

    def standing(self, secret_id: str) -> SecretStanding | None:
        try:
            value = self.secrets.read(secret_id)
        except AutopilotError:
            return None
        is_going = value.name in self.secrets.going
        return SecretStanding(is_going, value.version_id, self.secrets.rotated_at.get(value.name))


@dataclass(slots=True)
class FakePath:
    """Why events may not have come."""

    words: list[str]

    def doubts(self) -> list[str]:
        return self.words


@dataclass(slots=True)
class FakeRepositories:
    """Repositories by (account, region, name); those in `ignored` carry the tag."""

    names: set[tuple[str, str, str]] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)
    asked_as: list[str | None] = field(default_factory=list)
    created: dict[str, float] = field(default_factory=dict)

    def add(self, *names: str, account: str = ACCOUNT, region: str = REGION) -> None:
        self.names |= {(account, region, name) for name in names}

    def find(self, repository: Repository, role: str | None = None) -> FoundRepository | None:
        self.asked_as.append(role)
        if (repository.account, repository.region, repository.name) not in self.names:
            return None
        uri = f"{host(repository.account, repository.region)}/{repository.name}"
        return FoundRepository(uri, repository.name in self.ignored)

    def listed(self, account: str, region: str, role: str | None = None) -> Iterable[ListedRepository]:
        self.asked_as.append(role)
        for a, r, name in sorted(self.names):
            if (a, r) == (account, region):
                yield ListedRepository(name, f"{host(a, r)}/{name}", self.created.get(name, START))


@dataclass(slots=True)
class FakeProver:
    """AWS knows every key but those in `unknown`."""

    unknown: set[str] = field(default_factory=set)

    def try_access_key(self, values: CredentialValues, region: str) -> Proof:
        key = values.access_key_id.get_secret_value() if values.access_key_id else ""
        if key in self.unknown:
            return Proof(Verdict.UNKNOWN_KEY, "AWS answered InvalidClientTokenId to the access key")
        return Proof(Verdict.PROVEN, "AWS knows the access key")


class FakeTokens:
    """Issues ECR tokens of twelve hours, or refuses as a role does that may not be assumed."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.issued: list[tuple[str, str]] = []
        self.refused = False

    def issue(self, role: str, host: EcrHost) -> IssuedToken:
        if self.refused:
            raise AutopilotError(causes.ROLE_NOT_ASSUMABLE, f"Autopilot could not assume the role {role}")
        self.issued.append((role, host.location))
        return IssuedToken("AWS", SecretStr(f"token-{len(self.issued)}"), self._clock() + 12 * 3600)


@dataclass(slots=True)
class FakeDiagnosis:
    """Sees what the test says, and remembers where it was sent to look."""

    seen: tuple[str, ...] = ("a connection to port 443 opens",)
    looked_at: list[Target] = field(default_factory=list)

    def look(self, target: Target) -> Sequence[str]:
        self.looked_at.append(target)
        return self.seen


class FifoQueue:
    """One group per identity, in order; what was put within five minutes is not taken again."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._seen: dict[str, float] = {}
        self.waiting: list[WorkItem] = []
        self.poisoned: list[WorkItem] = []

    def put(self, items: Sequence[WorkItem]) -> None:
        for item in items:
            key = digest(item.model_dump_json(exclude_defaults=True))
            if self._clock() - self._seen.get(key, -1e9) >= 300:
                self._seen[key] = self._clock()
                self.waiting.append(item)


@dataclass(slots=True)
class FakeChannel:
    """Keeps what it was told; `refuse` makes it fail so many times first."""

    name: str
    told: list[tuple[Incident, Change]] = field(default_factory=list)
    refuse: int = 0
    news: list[HistoryEntry] = field(default_factory=list)

    def send(self, incident: Incident, change: Change) -> None:
        self._fail_first()
        self.told.append((incident, change))

    def send_news(self, entry: HistoryEntry) -> None:
        self._fail_first()
        self.news.append(entry)

    def _fail_first(self) -> None:
        if self.refuse > 0:
            self.refuse -= 1
            raise ChannelError("not now")

    @property
    def states(self) -> list[tuple[str, str, str]]:
        return [(change.state, change.cause, incident.subject_name) for incident, change in self.told]


@dataclass(slots=True)
class CountingMetrics:
    """Counts and measured values by name."""

    counts: dict[str, int] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)

    def count(self, name: str, **dimensions: str) -> None:
        key = "/".join([name, *dimensions.values()])
        self.counts[key] = self.counts.get(key, 0) + 1

    def observe(self, name: str, value: float, unit: Unit, **dimensions: str) -> None:
        self.values.setdefault("/".join([name, *dimensions.values()]), []).append(value)


def host(account: str = ACCOUNT, region: str = REGION, *, fips: bool = False) -> str:
    """An ECR host."""
    return render_ecr_host(EcrHost(account, region, partition_of_region(region), fips=fips, dual_stack=False))
