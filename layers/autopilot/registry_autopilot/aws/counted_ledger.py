"""The ledger, counting the incidents that open and end in it, by cause."""

from typing import TYPE_CHECKING

from registry_autopilot.aws.ledger import DynamoLedger
from registry_autopilot.incidents import Incident
from registry_autopilot.ports import LedgerWrite, Metrics
from registry_autopilot.records import RegistryState, SystemState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NAMES = {"open": "IncidentsOpened", "resolved": "IncidentsResolved"}


class CountedLedger(DynamoLedger):
    """Counts where every incident passes, after it was written: a write that somebody else won counts there."""

    def __init__(self, client: "DynamoDBClient", table: str, metrics: Metrics) -> None:
        super().__init__(client, table)
        self._metrics = metrics

    def commit(self, write: LedgerWrite) -> RegistryState:
        """Write in one transaction; see `Ledger.commit`."""
        written = super().commit(write)
        self._count(write.incident)
        return written

    def commit_system(self, was: SystemState, now: SystemState, incident: Incident | None) -> None:
        """Write a shared subject and its incident in one transaction."""
        super().commit_system(was, now, incident)
        self._count(incident)

    def _count(self, incident: Incident | None) -> None:
        change = incident.changes[-1] if incident is not None else None
        if change is not None and change.state in _NAMES:
            self._metrics.count(_NAMES[change.state], cause=change.cause)
