"""Every reason for which something can fail: a closed list, each with its severity, retry rule and advice.

The error that is raised carries its cause, so that nobody downstream guesses:

    AutopilotError            a problem that an admin can act on; carries a `Cause`
    └── vertex.errors.VertexError   the same, with the HTTP status and body code VerteX answered

Anything else that is raised is a bug or a crash, and is left to redelivery.
`docs/operations.md` holds one runbook entry per cause under the anchor `cause-<slug>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

MINUTE = 60
HOUR = 60 * MINUTE


class Severity(StrEnum):
    """How loudly an admin is told."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for a failure.

    Attributes:
        slug: stable name, used in notices, metrics, the ledger and runbook anchors.
        severity: how loudly an admin is told.
        headline: what is wrong, in a few words that end a sentence about the subject.
        advice: one sentence that says what to do next.
        retry: seconds to wait before each next try; the last one repeats. Empty: only a change (an event, a
            definition, a secret, the sweep) leads to a new try.
    """

    slug: str
    severity: Severity
    headline: str
    advice: str
    retry: tuple[int, ...] = ()

    @property
    def runbook(self) -> str:
        """Anchor of the runbook entry in docs/operations.md."""
        return f"cause-{self.slug}"

    def delay(self, attempts: int) -> int | None:
        """Seconds until the next try after `attempts` failed ones (1 = the first just failed); None: no due time."""
        if not self.retry:
            return None
        return self.retry[min(max(attempts, 1), len(self.retry)) - 1]


class AutopilotError(Exception):
    """A problem that an admin can act on.

    Attributes:
        cause: which one of the closed list.
        detail: what happened, in words that are safe to show (no secret, no raw server text).
        facts: further safe particulars, by name.
        subject: what the incident is about when it is not the registry at hand: `vertex`, `secret:<name>`,
            `definition:<id>`. A fault behind many registries so becomes one incident.
        retry_after: seconds until the next try, where the raiser knows better than the cause's own rule.
    """

    def __init__(
        self,
        cause: Cause,
        detail: str,
        *,
        facts: Mapping[str, str] | None = None,
        subject: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(f"{cause.slug}: {detail}")
        self.cause = cause
        self.detail = detail
        self.facts: Mapping[str, str] = dict(facts or {})
        self.subject = subject
        self.retry_after = retry_after


_BACKOFF = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR)
_FAST = (30, MINUTE, 2 * MINUTE, 5 * MINUTE)
_SLOW = (15 * MINUTE, HOUR)


@dataclass(slots=True)
class _Catalogue:
    """Collects the causes as they are defined below, so that no list has to be kept by hand."""

    known: dict[str, Cause] = field(default_factory=dict)

    def add(self, slug: str, severity: Severity, headline: str, advice: str, retry: tuple[int, ...] = ()) -> Cause:
        cause = self.known[slug] = Cause(slug, severity, headline, advice, retry)
        return cause


_all = _Catalogue()
_info, _warning, _error, _critical = Severity

CREDENTIALS_REJECTED = _all.add(
    "credentials-rejected",
    _error,
    "the credentials were rejected",
    "Put a working credential into the secret (or roll its AWSCURRENT label back); a new version is tried at once.",
    (HOUR,),
)
ACCESS_DENIED = _all.add(
    "access-denied",
    _error,
    "access was denied",
    "Grant the identity named here the permission it lacks, then wait for the next try.",
    (15 * MINUTE, HOUR),
)
ROLE_NOT_ASSUMABLE = _all.add(
    "role-not-assumable",
    _error,
    "VerteX could not assume the role",
    "Check the role's trust policy: it must name VerteX's AWS account and the external id of the definition.",
    (15 * MINUTE, HOUR),
)
TLS_UNTRUSTED = _all.add(
    "tls-untrusted",
    _error,
    "the registry's certificate is not trusted",
    "Give the definition the right CA in `tls.ca`, or renew the registry's certificate.",
    (15 * MINUTE, HOUR),
)
NAME_NOT_RESOLVED = _all.add(
    "name-not-resolved",
    _error,
    "the registry's host name could not be resolved",
    "Check the endpoint in the definition and the DNS that VerteX uses.",
    _BACKOFF,
)
UNREACHABLE = _all.add(
    "unreachable",
    _error,
    "the registry could not be reached",
    "Check that VerteX can open a connection to the endpoint: routes, security groups, proxy, the registry itself.",
    _BACKOFF,
)
TIMED_OUT = _all.add(
    "timed-out",
    _warning,
    "the registry did not answer in time",
    "Check the load and the network path between VerteX and the endpoint; it is tried again by itself.",
    _BACKOFF,
)
BASE_PATH_MISSING = _all.add(
    "base-path-missing",
    _error,
    "the base content path is missing or holds nothing VerteX can read",
    "Give the definition the base content path under which the content lies.",
)
SYNC_FAILED = _all.add(
    "sync-failed",
    _warning,
    "the synchronization failed",
    "Read the sync message of the registry in the VerteX console; the next push or sweep starts another sync.",
    _SLOW,
)
SYNC_SETTING_FIXED = _all.add(
    "sync-setting-fixed",
    _error,
    "the synchronization setting cannot be changed after creation",
    "Set `synchronize` back, or make a new registry under another name and remove the old one by hand.",
)
NEEDS_NEW_REGISTRY = _all.add(
    "needs-new-registry",
    _error,
    "the changed definition needs a new registry",
    "Take the change back, or give the definition a new name and remove the old registry by hand.",
)
NAME_CONFLICT = _all.add(
    "name-conflict",
    _error,
    "the name is taken by another registry",
    "Change `name` in the definition, or rename or remove the other registry by hand.",
)
ADOPTABLE = _all.add(
    "adoptable",
    _warning,
    "a registry of this identity exists that Autopilot did not make",
    "Set `adopt: refresh` in the definition to let Autopilot keep it, or `manage: sync-only` to leave it alone.",
)
DRIFTED = _all.add(
    "drifted",
    _warning,
    "somebody changed or deleted the registry in VerteX",
    "Restore it in VerteX, or set `on_drift: repair` in the definition.",
)
WRONG_SCOPE = _all.add(
    "wrong-scope",
    _critical,
    "the registry was not created at system scope",
    "Check that the account in the VerteX admin secret is a system administrator; remove the stray registry by hand.",
)
PROTECTED = _all.add(
    "protected",
    _warning,
    "the registry is protected and is only ever synced",
    "Set `manage: sync-only` in the definition, or take the registry out of the stack's ProtectedRegistries.",
)
ENDPOINT_NOT_ALLOWED = _all.add(
    "endpoint-not-allowed",
    _error,
    "the credential may not be sent to this endpoint",
    "Name the host in the secret itself, or add it to the stack's AllowedRegistryHosts.",
)
TOO_MANY_REGISTRIES = _all.add(
    "too-many-registries",
    _error,
    "the family would grow beyond max_registries",
    "Raise `max_registries` in the definition, or narrow its `match.repositories`.",
)
SECRET_UNREADABLE = _all.add(
    "secret-unreadable",
    _error,
    "a secret could not be read",
    "Check that the secret exists and that its ARN is covered by the stack's RegistrySecretArns.",
    (5 * MINUTE, 15 * MINUTE, HOUR),
)
SECRET_MALFORMED = _all.add(
    "secret-malformed",
    _error,
    "a secret does not hold what its kind needs",
    "Give the secret the keys that the notice lists.",
)
SECRET_GOING = _all.add(
    "secret-going",
    _warning,
    "a secret in use is scheduled for deletion",
    "Restore the secret, or move the definitions that use it to another one.",
)
ROTATION_FAILED = _all.add(
    "rotation-failed",
    _error,
    "the rotation of a secret failed",
    "Read the rotation function's log, mend it and rotate again; the previous version stays in use.",
)
DEFINITION_INVALID = _all.add(
    "definition-invalid",
    _error,
    "the definition cannot be used",
    "Correct the field named here in the definition's parameter; docs/definitions.md has the format.",
)
LOGIN_REJECTED = _all.add(
    "login-rejected",
    _critical,
    "VerteX rejected the admin login",
    "Put the right username and password into the VerteX admin secret; a new version is tried at once.",
    (HOUR,),
)
LOGIN_LOCKED = _all.add(
    "login-locked",
    _critical,
    "logins are paused so that the VerteX account is not locked",
    "Correct the VerteX admin secret; logins go on when the pause is over or the secret changes.",
    (20 * MINUTE,),
)
LOGIN_NEEDS_PASSKEY = _all.add(
    "login-needs-passkey",
    _critical,
    "the VerteX account uses a passkey, which the API cannot",
    "Use a dedicated Operations Administrator without a passkey in the VerteX admin secret.",
    (HOUR,),
)
VERTEX_UNAVAILABLE = _all.add(
    "vertex-unavailable",
    _critical,
    "VerteX could not be reached or could not answer",
    "Check that VerteX is up and reachable from the functions' network; everything owed is done when it is back.",
    _FAST,
)
RATE_LIMITED = _all.add(
    "rate-limited",
    _warning,
    "VerteX answered that there are too many requests",
    "Lower VertexRequestsPerSecond if this persists: the limit is shared by everybody behind the same address.",
    _FAST,
)
MISSED_EVENTS = _all.add(
    "missed-events",
    _warning,
    "changes were found that no event had told",
    "Check the rules, the trail and the dead-letter queues named here; the sweep has made up for what was missed.",
)
SWEEP_HELD = _all.add(
    "sweep-held",
    _warning,
    "the sweep would write more registries than its limit allows",
    "Look at `autopilot plan`; then run `autopilot apply --yes`, or raise SweepMaxWrites.",
)
SWEEP_MISSING = _all.add(
    "sweep-missing",
    _error,
    "the sweep did not run",
    "Check the schedule's rule and the log of the function `sweep`; until it runs, changes without events stay unseen.",
)
DEAD_LETTERS = _all.add(
    "dead-letters",
    _error,
    "messages lie in a dead-letter queue",
    "Read the log of the function whose queue it is, mend what it says, then redrive the queue.",
)
CERTIFICATE_EXPIRING = _all.add(
    "certificate-expiring",
    _warning,
    "a CA certificate in use is about to end",
    "Put the authority's new certificate into the place named here, beside the old one, before it ends.",
)
TOKEN_EXPIRING = _all.add(
    "token-expiring",
    _error,
    "an ECR token was not renewed in time",
    "Mend what keeps the registries named here from being refreshed; their own incidents say what it is.",
)
ROTATION_OVERDUE = _all.add(
    "rotation-overdue",
    _warning,
    "a secret is overdue for rotation",
    "Rotate the secret, or mend the rotation that should have done so; the new version is applied at once.",
)
SLACK_BROKEN = _all.add(
    "slack-broken",
    _warning,
    "Slack takes no notices",
    "Put the URL of a working incoming webhook into the Slack secret; the next notice tries it.",
)
TEST_NOTICE = _all.add(
    "test-notice",
    _info,
    "this is a test notice",
    "Nothing: it shows that notices arrive.",
)
UNRECOGNISED_EVENT = _all.add(
    "unrecognised-event",
    _warning,
    "an event that should be understood was not",
    "Read the quarantined event in the ledger, report its shape, and check that its registry is there.",
)
HELD_BACK = _all.add(
    "held-back",
    _info,
    "changes are held back because the mode is observe",
    "Read what would be done, then set the mode parameter to `act`.",
    (15 * MINUTE,),
)
UNKNOWN = _all.add(
    "unknown",
    _error,
    "VerteX refused for a reason that is not known",
    "Look up the code and the AuditUid in VerteX's logs and report them, so that the cause gets a name.",
    (15 * MINUTE, HOUR),
)

CAUSES: Mapping[str, Cause] = dict(_all.known)

# What is wrong with VerteX itself, or our way to it: one incident, however many registries it holds back.
VERTEX_CAUSES = frozenset(
    {VERTEX_UNAVAILABLE, RATE_LIMITED, LOGIN_REJECTED, LOGIN_LOCKED, LOGIN_NEEDS_PASSKEY},
)


def subject_of(error: AutopilotError) -> str | None:
    """The shared subject an error is about; None: the registry at hand."""
    return error.subject or ("vertex" if error.cause in VERTEX_CAUSES else None)
