"""Everything that should be and everything that is, as one sweep saw it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from registry_autopilot.matching import Lead, registry_name
from registry_autopilot.records import RegistryState
from registry_autopilot.registry import DesiredRegistry
from registry_autopilot.vertex.models import RegistryMetadata, RegistrySummary, StoredRegistry
from registry_autopilot.work import WorkItem

DAY = 86_400
MISSED_AFTER_SECONDS = 600  # an event that was going to come has come by then


@dataclass(frozen=True, slots=True)
class Asked:
    """A registry that a definition asks for.

    Attributes:
        item: the work item that would make it right; its trigger says that it was swept.
        desired: None where a secret of it cannot be read.
        problem: why the definition cannot be followed here.
        created_at, changed_at: when its repository was created, and when a secret of it last changed; epoch seconds.
    """

    lead: Lead
    item: WorkItem
    desired: DesiredRegistry | None
    problem: str | None = None
    created_at: float | None = None
    changed_at: float | None = None

    @property
    def name(self) -> str:
        """The registry's name as the definition has it."""
        return registry_name(self.lead.definition, self.lead.identity)


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that should be and everything that is, at one moment.

    Attributes:
        period: seconds between two sweeps of this rhythm.
        swept_at: when a sweep last looked at VerteX and the secrets; inventoried_at: when one last looked at ECR, too;
            epoch seconds. What happened before was seen then, or there before we were: no event of it was missed.
        asked: by identity key.
        seen: identity keys under which a repository lies; None: ECR was not asked.
        same: registries in VerteX, by identity key, of asked identities for which the ledger has none.
        protected: names that are never written, in lower case.
    """

    now: float
    period: float
    swept_at: float | None
    inventoried_at: float | None
    asked: Mapping[str, Asked]
    states: Mapping[str, RegistryState]
    seen: frozenset[str] | None
    listed: Mapping[str, RegistryMetadata]
    summaries: Mapping[str, RegistrySummary]
    same: Mapping[str, Sequence[StoredRegistry]]
    protected: frozenset[str] = frozenset()
    reprove: bool = False

    def is_missed(self, since: float | None, looked_at: float | None) -> bool:
        """Whether an event should have told what happened at `since`, after somebody last looked."""
        if since is None or looked_at is None:
            return False
        return since >= looked_at and self.now - since > MISSED_AFTER_SECONDS

    def holder_of(self, name: str) -> str | None:
        """The uid of the registry that has a name in VerteX."""
        return next((uid for uid, listed in self.listed.items() if listed.name == name), None)
