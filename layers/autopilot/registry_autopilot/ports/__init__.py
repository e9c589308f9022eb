"""What the use cases ask of the world. Adapters implement these; tests implement them in memory."""

from registry_autopilot.ports.channels import Announcements, Channel, ChannelError
from registry_autopilot.ports.diagnosis import Diagnosis
from registry_autopilot.ports.ledger import ConcurrentUpdateError, Ledger, LedgerWrite, SharedSubjects
from registry_autopilot.ports.metrics import Metrics, Unit
from registry_autopilot.ports.system import SystemView
from registry_autopilot.ports.world import (
    Clock,
    Definitions,
    EcrTokens,
    EventPath,
    FoundRepository,
    IssuedToken,
    ListedRepository,
    LoadedDefinitions,
    Mode,
    Proof,
    Prover,
    Repositories,
    RequestRecord,
    Rules,
    Secrets,
    SecretVersion,
    SecretVersions,
    Verdict,
    Vertex,
    WorkQueue,
)

__all__ = [
    "Announcements",
    "Channel",
    "ChannelError",
    "Clock",
    "ConcurrentUpdateError",
    "Definitions",
    "Diagnosis",
    "EcrTokens",
    "EventPath",
    "FoundRepository",
    "IssuedToken",
    "Ledger",
    "LedgerWrite",
    "ListedRepository",
    "LoadedDefinitions",
    "Metrics",
    "Mode",
    "Proof",
    "Prover",
    "Repositories",
    "RequestRecord",
    "Rules",
    "SecretVersion",
    "SecretVersions",
    "Secrets",
    "SharedSubjects",
    "SystemView",
    "Unit",
    "Verdict",
    "Vertex",
    "WorkQueue",
]
