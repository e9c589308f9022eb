"""Diagnose: on news of a refusal, what our own side sees of the registry, as evidence for admins and nothing else."""

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import SecretCredentials
from registry_autopilot.destinations import check_destination
from registry_autopilot.diagnosis import Target, is_looked_into
from registry_autopilot.hosts import parse_ecr_host
from registry_autopilot.redaction import redact
from registry_autopilot.steps.attempt import Attempt, Wanted

NOT_A_DESTINATION = "not looked at, because no credential may go to this host"


def seen_from_here(attempt: Attempt, error: AutopilotError, shared: str | None) -> tuple[str, ...]:
    """What a look from the function's network shows; empty where it adds nothing to what admins were told already.

    Args:
        attempt: the attempt that was refused.
        error: the refusal.
        shared: the shared subject that the refusal is told of; None: the registry itself.
    """
    wanted, diagnosis = attempt.wanted, attempt.world.diagnosis
    about_registry = causes.subject_of(error) is None and is_looked_into(error.cause)
    if diagnosis is None or wanted is None or not about_registry or not _is_news(attempt, error, shared):
        return ()
    if not _may_go(attempt, wanted):
        return (NOT_A_DESTINATION,)
    return tuple(redact(words) for words in diagnosis.look(_target(wanted)))


def _is_news(attempt: Attempt, error: AutopilotError, shared: str | None) -> bool:
    """Whether an incident opens or changes its cause: a retry that ends as the one before is not looked into again."""
    if shared is not None:
        return attempt.world.ledger.system(shared).cause != error.cause.slug
    return attempt.was.incident_id is None or attempt.was.refused_cause != error.cause.slug


def _may_go(attempt: Attempt, wanted: Wanted) -> bool:
    """Whether a credential may go to the endpoint; one that lies in a secret was checked when it was read."""
    definition = wanted.definition
    if isinstance(definition.credentials, SecretCredentials):
        return True
    try:
        check_destination(
            (),
            wanted.desired.endpoint,
            ecr_accounts=definition.match.accounts or (attempt.world.home.account,),
            allowed_hosts=attempt.world.rules.allowed_hosts,
        )
    except AutopilotError:
        return False
    return True


def _target(wanted: Wanted) -> Target:
    endpoint = wanted.desired.endpoint
    host = parse_ecr_host(endpoint)
    is_elsewhere = host is not None and wanted.definition.match.reader(host.account) is not None
    return Target(endpoint, wanted.desired.identity, wanted.ca, is_elsewhere=is_elsewhere)
