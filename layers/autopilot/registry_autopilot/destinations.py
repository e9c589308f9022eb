"""Where a credential may go. Pure."""

from collections.abc import Iterable

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.hosts import normalise_endpoint, parse_ecr_host


def check_destination(
    named_hosts: Iterable[str],
    endpoint: str,
    *,
    ecr_accounts: Iterable[str],
    allowed_hosts: Iterable[str],
) -> None:
    """Refuse to send a credential where it may not go.

    A secret that names its host is used for that host only; any other for ECR hosts of matched accounts, or for
    the hosts in the stack's AllowedRegistryHosts.

    Raises:
        AutopilotError: endpoint-not-allowed.
    """
    target, named = host_of(endpoint), tuple(named_hosts)
    if named:
        allowed = all(_same_host(host, endpoint) for host in named)
        reason = "the secret names another host"
    else:
        ecr = parse_ecr_host(endpoint)
        of_ours = ecr is not None and ecr.account in set(ecr_accounts)
        allowed = of_ours or target in {host_of(host) for host in allowed_hosts}
        reason = "the secret names no host, and the host is neither an ECR host of a matched account nor allowed"
    if not allowed:
        raise AutopilotError(causes.ENDPOINT_NOT_ALLOWED, f"the credential was not sent to {target}: {reason}")


def host_of(endpoint: str) -> str:
    """Host and port of an endpoint, lower-cased, without scheme and path; empty for what cannot be read."""
    try:
        return normalise_endpoint(endpoint).partition("/")[0]
    except ValueError:
        return ""


def _same_host(one: str, other: str) -> bool:
    """The host forms of one ECR registry (plain, FIPS, dual-stack) count as the same host."""
    left, right = parse_ecr_host(one), parse_ecr_host(other)
    if left is not None and right is not None:
        return left.location == right.location
    return bool(host_of(one)) and host_of(one) == host_of(other)
