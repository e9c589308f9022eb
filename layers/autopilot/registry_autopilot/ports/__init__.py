"""What the use cases ask of the world. Adapters implement these; tests implement them in memory."""

from registry_autopilot.ports.channels import Announcements, Channel, ChannelError
from registry_autopilot.ports.ledger import ConcurrentUpdateError, Ledger, LedgerWrite
from registry_autopilot.ports.world import (
    Clock,
    Definitions,
    EcrTokens,
    FoundRepository,
    IssuedToken,
    LoadedDefinitions,
    Metrics,
    Mode,
    Proof,
    Prover,
    Repositories,
    RequestRecord,
    Rules,
    Secrets,
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
    "EcrTokens",
    "FoundRepository",
    "IssuedToken",
    "Ledger",
    "LedgerWrite",
    "LoadedDefinitions",
    "Metrics",
    "Mode",
    "Proof",
    "Prover",
    "Repositories",
    "RequestRecord",
    "Rules",
    "Secrets",
    "Verdict",
    "Vertex",
    "WorkQueue",
]
