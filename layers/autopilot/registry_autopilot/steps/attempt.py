"""One attempt to make one registry right: what it works with, and what it has learnt so far."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from registry_autopilot.definitions import Definition
from registry_autopilot.matching import Home
from registry_autopilot.ports import (
    Clock,
    Definitions,
    Diagnosis,
    EcrTokens,
    Ledger,
    Metrics,
    Mode,
    Prover,
    Repositories,
    Rules,
    Secrets,
    SecretVersions,
    Vertex,
)
from registry_autopilot.records import KnownUid, RegistryState, SystemState, UsedSecret
from registry_autopilot.registry import CredentialValues, DesiredRegistry, RegistrySpec
from registry_autopilot.vertex.models import SyncStatus
from registry_autopilot.work import Doubt, WorkItem, merge_pushes

CLOCK_SKEW_SECONDS = 60  # between the clocks that stamp events and ours


@dataclass(frozen=True, slots=True)
class World:
    """The collaborators of routing and converge; only converge has a `diagnosis`, only routing has `versions`."""

    definitions: Definitions
    secrets: Secrets
    repositories: Repositories
    prover: Prover
    tokens: EcrTokens
    vertex: Callable[[], Vertex]
    ledger: Ledger
    metrics: Metrics
    clock: Clock
    rules: Rules
    home: Home
    console_link: Callable[[str], str | None]
    diagnosis: Diagnosis | None = None
    versions: SecretVersions | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A desired registry with the values that stay in memory.

    Attributes:
        credential_created_at: when the secret's version was made, in seconds since the epoch.
        expires_at: when the credential ends by itself; None: it does not.
    """

    desired: DesiredRegistry
    definition: Definition
    values: CredentialValues
    ca: str | None = None
    credential_created_at: float | None = None
    expires_at: float | None = None

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the desired registry."""
        return self.desired.fingerprint

    @property
    def used(self) -> tuple[UsedSecret, ...]:
        """Secrets and versions, as the ledger keeps them."""
        return tuple(UsedSecret(use=s.use, arn=s.arn, version_id=s.version_id) for s in self.desired.secrets)

    def spec(self, *, endpoint: str | None = None) -> RegistrySpec:
        """Everything a body says of the registry."""
        identity = self.desired.identity
        return RegistrySpec(
            type=identity.type,
            provider=identity.provider,
            endpoint=endpoint or self.desired.endpoint,
            base_content_path=identity.base_content_path,
            synchronize=self.desired.synchronize,
            credentials=self.values,
            partition=identity.location.partition(":")[0] if identity.type == "ecr" else None,
            ca=self.ca,
            insecure_skip_verify=self.desired.insecure_skip_verify,
        )


@dataclass(slots=True)
class Attempt:
    """What one attempt has learnt.

    Attributes:
        state: what the ledger will hold when it ends.
        rewrite: VerteX holds something else than the ledger believes: it is PUT although nothing of ours changed.
    """

    world: World
    item: WorkItem
    was: RegistryState
    state: RegistryState
    at: float
    mode: Mode | None = None
    wanted: Wanted | None = None
    vertex_state: SystemState | None = None
    requests: list[Any] = field(default_factory=list)
    validated: bool | None = None
    evidence: str | None = None
    before: dict[str, Any] | None = None
    known: KnownUid | None = None
    moved_from: RegistryState | None = None
    status: SyncStatus | None = None
    rewrite: bool = False

    @classmethod
    def begin(cls, item: WorkItem, world: World) -> "Attempt":
        """Read the state and note the pushes the item tells of."""
        was = world.ledger.registry(item.identity.key) or RegistryState.fresh(item.identity)
        covered = item.happened_last is not None and item.happened_last < (was.last_sync_at or 0) - CLOCK_SKEW_SECONDS
        news = item.model_copy(update={"pushed_first": None, "pushed_last": None}) if covered else item
        first, last = merge_pushes(was.owed_first, was.owed_last, news)
        state = was.with_(
            endpoint=was.endpoint or item.endpoint,
            repository=item.repository or was.repository,
            owed_first=first,
            owed_last=last,
        )
        return cls(world, item, was, state, world.clock())

    def change(self, **changes: Any) -> None:
        """Change what the ledger will hold."""
        self.state = self.state.with_(**changes)

    def need(self) -> Wanted:
        """The resolved desired registry; resolving comes before every step that asks for it."""
        if self.wanted is None:
            raise RuntimeError("the desired registry was not resolved")
        return self.wanted

    @property
    def is_nudged(self) -> bool:
        """Whether somebody changed something that speaks for another try at once."""
        nudges = {"DefinitionChanged", "SecretChanged"}
        return self.item.repair or any(trigger.kind in nudges for trigger in self.item.triggers)

    @property
    def is_doubted(self) -> bool:
        """Whether VerteX is asked although the ledger believes the registry right."""
        return self.item.repair or bool({Doubt.DRIFT, Doubt.PROOF} & set(self.item.doubts))

    def rebase(self, written: RegistryState) -> None:
        """Go on from a state that was just written."""
        self.was = written
        self.state = replace_rev(self.state, written.rev)


def replace_rev(state: RegistryState, rev: int) -> RegistryState:
    """The state under another revision."""
    return state.with_(rev=rev)
