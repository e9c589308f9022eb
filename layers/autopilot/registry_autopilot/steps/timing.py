"""When something is due: an owed sync, the renewal of a credential that ends by itself. Pure."""

from registry_autopilot.ports import Rules
from registry_autopilot.records import RegistryState

RETRY_RENEWAL_SECONDS = 600  # an overdue renewal is tried again after so long, whatever its cause says


def sync_due_at(state: RegistryState, rules: Rules) -> float | None:
    """When the owed sync is due: once pushes are quiet, at the latest some time after the first unsynced one."""
    if state.owed_first is None or state.owed_last is None:
        return None
    quiet = state.owed_last + rules.sync_quiet_seconds
    return min(quiet, state.owed_first + rules.sync_max_wait_seconds)


def renewal_due_at(state: RegistryState) -> float | None:
    """When the applied credential is renewed: at half its life, so that hours are left for whatever goes wrong."""
    if state.expires_at is None:
        return None
    return (state.expires_at + (state.written_at or 0)) / 2


def earliest(*times: float | None) -> float | None:
    """The first of several times; None: there is none."""
    return min((at for at in times if at is not None), default=None)
