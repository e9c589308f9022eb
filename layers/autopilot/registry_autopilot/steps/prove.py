"""Prove: what can be known of a credential from here, before VerteX is asked to try it."""

from dataclasses import replace

from registry_autopilot import causes
from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import RoleCredentials
from registry_autopilot.hosts import parse_ecr_host
from registry_autopilot.ports import Verdict
from registry_autopilot.registry import CredentialKind, CredentialValues
from registry_autopilot.secret_names import reference_names
from registry_autopilot.steps.attempt import Attempt, Wanted


def prove(attempt: Attempt, wanted: Wanted) -> bool:
    """Try the credential, or obtain it; False: it needs more time.

    Raises:
        AutopilotError: credentials-rejected, about the secret; role-not-assumable or access-denied for a token.
    """
    match wanted.desired.credential_kind:
        case CredentialKind.ACCESS_KEY:
            return _is_known_to_aws(attempt, wanted)
        case CredentialKind.ECR_TOKEN:
            attempt.wanted = _with_token(attempt, wanted)
            return True
        case _:
            return True


def _with_token(attempt: Attempt, wanted: Wanted) -> Wanted:
    """The wanted registry with a new ECR token; neither the ledger nor the fingerprint ever sees it."""
    host = parse_ecr_host(wanted.desired.endpoint)
    given = wanted.definition.credentials
    if host is None or not isinstance(given, RoleCredentials):
        raise RuntimeError("an ECR token is for a definition with a role and an ECR endpoint")
    token = attempt.world.tokens.issue(given.role, host)
    attempt.evidence = "an ECR token was issued to the role"
    values = CredentialValues(given.kind, username=token.username, password=token.password)
    return replace(wanted, values=values, expires_at=token.expires_at)


def _is_known_to_aws(attempt: Attempt, wanted: Wanted) -> bool:
    """Try a static access key against AWS; a fresh one gets time before it counts as refused."""
    world = attempt.world
    proof = world.prover.try_access_key(wanted.values, wanted.desired.identity.location.rpartition(":")[2])
    attempt.evidence = proof.seen
    if proof.verdict is not Verdict.UNKNOWN_KEY:
        attempt.change(waiting_since=None, waiting_version=None)
        return True
    if _may_be_too_fresh(attempt, wanted):
        return False
    secret = next(s for s in wanted.desired.secrets if s.use == "credentials")
    name = reference_names(secret.arn)[0]
    raise AutopilotError(
        causes.CREDENTIALS_REJECTED,
        f"AWS does not accept the access key in version {secret.version_id} of the secret {name}",
        facts={"secret": secret.arn, "version": secret.version_id},
        subject=f"secret:{name}",
    )


def _may_be_too_fresh(attempt: Attempt, wanted: Wanted) -> bool:
    """Whether the key is so young that AWS may not know it yet; how long it has waited goes into the ledger."""
    state = attempt.state
    version = next(s.version_id for s in wanted.desired.secrets if s.use == "credentials")
    since = state.waiting_since if state.waiting_version == version and state.waiting_since else attempt.at
    attempt.change(waiting_since=since, waiting_version=version)
    born = wanted.credential_created_at or since
    return attempt.at - min(since, born) < attempt.world.rules.key_wait_seconds
