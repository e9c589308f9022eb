"""When an owed sync is due. Pure."""

from registry_autopilot.ports import Rules
from registry_autopilot.records import RegistryState


def sync_due_at(state: RegistryState, rules: Rules) -> float | None:
    """When the owed sync is due: once pushes are quiet, at the latest some time after the first unsynced one."""
    if state.owed_first is None or state.owed_last is None:
        return None
    quiet = state.owed_last + rules.sync_quiet_seconds
    return min(quiet, state.owed_first + rules.sync_max_wait_seconds)
