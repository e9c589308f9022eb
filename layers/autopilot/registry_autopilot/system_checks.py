"""Check the system: what no event and no registry tells of. Each check looks, and its incidents follow what it finds.

The tick asks for it each minute; a claim in the ledger lets it through every quarter of an hour. No request goes to
VerteX. A check that fails is counted and hides none of the others.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from registry_autopilot import causes, findings
from registry_autopilot.causes import Cause
from registry_autopilot.certificates import next_expiry
from registry_autopilot.findings import CheckLimits, Ending, Finding, SecretAge
from registry_autopilot.incidents import Incident, Story, continue_incident
from registry_autopilot.ports import ConcurrentUpdateError, Ledger, SystemView, Unit
from registry_autopilot.records import RegistryState, SystemState
from registry_autopilot.steps.attempt import World
from registry_autopilot.steps.shared import open_shared, resolve_shared

PERIOD_SECONDS = 900
VERTEX_CA = "vertex-ca"  # the ledger's subject under which converge notes when the CA bundle for VerteX ends
_CLAIM = "checks"
_STAGE = "stage"
_SECRETS_AT_MOST = 200  # described in one check; DescribeSecret allows many more a second


@dataclass(frozen=True, slots=True)
class _Look:
    """What the checks of one run share."""

    world: World
    view: SystemView
    limits: CheckLimits
    states: Sequence[RegistryState]
    since: float
    now: float


def check_system(world: World, view: SystemView, limits: CheckLimits) -> None:
    """Check what is due to be checked. Never raises: the tick that asks for it has other work, too."""
    try:
        since = _claim(world)
        if since is not None:
            _check(_Look(world, view, limits, world.ledger.registries(), since, world.clock()))
    except Exception:  # the ledger's trouble; the next tick tries again, and the errors of the function tell of it
        world.metrics.count("ChecksFailed", check="all")


def note_vertex_ca(ledger: Ledger, pem: str, now: float) -> None:
    """Note when the CA bundle for VerteX ends, where its secret is read; the checks see no secret."""
    was = ledger.system(VERTEX_CA)
    ends_at = next_expiry(pem, now)
    if ends_at == was.ends_at:
        return
    try:
        ledger.commit_system(was, was.with_(ends_at=ends_at), None)
    except ConcurrentUpdateError:
        return  # another worker has read the same bundle


def _claim(world: World) -> float | None:
    """Since when this installation is watched, for the one who may check now; None: it is not due, or taken."""
    was, now = world.ledger.system(_CLAIM), world.clock()
    if was.retry_at is not None and was.retry_at > now:
        return None
    taken = was.with_(retry_at=now + PERIOD_SECONDS, since=was.since if was.since is not None else now)
    try:
        world.ledger.commit_system(was, taken, None)
    except ConcurrentUpdateError:
        return None
    return taken.since


def _check(look: _Look) -> None:
    for health, count in Counter(state.health for state in look.states).items():
        look.world.metrics.observe("Registries", count, Unit.COUNT, health=health)
    for cause, check in _CHECKS:
        try:
            if (found := check(look)) is not None:
                _tell(look, cause, found)
        except Exception:  # one part of the system that cannot be asked must not hide the others
            look.world.metrics.count("ChecksFailed", check=cause.slug)


def _dead_letters(look: _Look) -> list[Finding]:
    return findings.dead_letters(look.view.dead_letters())


def _missing_sweeps(look: _Look) -> list[Finding] | None:
    """While VerteX is away no sweep can finish, and that has an incident of its own."""
    if look.world.ledger.system("vertex").incident_id is not None:
        return None
    finished = look.world.ledger.sweep_state().finished
    return findings.missing_sweeps(finished, look.limits.sweep_periods, look.since, look.now)


def _certificates(look: _Look) -> list[Finding]:
    endings = findings.endings_of(look.states)
    of_vertex = look.world.ledger.system(VERTEX_CA).ends_at
    if of_vertex is not None:
        endings.append(Ending(VERTEX_CA, "the CA bundle for VerteX", of_vertex))
    return findings.expiring_certificates(endings, look.limits.warning_days, look.now)


def _tokens(look: _Look) -> list[Finding]:
    return findings.expiring_tokens(look.states, look.now)


def _secrets(look: _Look) -> list[Finding]:
    arns = {used.arn for state in look.states for used in state.secrets} | set(look.world.rules.own_secrets)
    found = [look.view.secret_age(arn) for arn in sorted(arns)[:_SECRETS_AT_MOST]]
    ages: list[SecretAge] = [age for age in found if age is not None]
    return findings.overdue_secrets(ages, look.limits.max_secret_age_days, look.limits.warning_days, look.now)


def _held(look: _Look) -> list[Finding]:
    return findings.held_registries([state for state in look.states if state.blocked_by == "mode"])


# A check that cannot tell at the moment gives None: what it said before stands.
_CHECKS: tuple[tuple[Cause, Callable[[_Look], list[Finding] | None]], ...] = (
    (causes.DEAD_LETTERS, _dead_letters),
    (causes.SWEEP_MISSING, _missing_sweeps),
    (causes.CERTIFICATE_EXPIRING, _certificates),
    (causes.TOKEN_EXPIRING, _tokens),
    (causes.ROTATION_OVERDUE, _secrets),
    (causes.HELD_BACK, _held),
)


def _tell(look: _Look, cause: Cause, found: Sequence[Finding]) -> None:
    """Open, continue and end the incidents of one cause, so that they follow what was found."""
    for finding in found:
        _tell_one(look, finding)
    subjects = {finding.subject for finding in found}
    for state in look.world.ledger.systems():
        is_over = state.incident_id is not None and state.cause == cause.slug and state.subject not in subjects
        if is_over and cause is not causes.HELD_BACK:  # that one ends with the mode, which converge hears of first
            story = Story(what="A later check found it in order.", kept="Nothing is left to do.")
            resolve_shared(look.world, state.subject, look.now, story=story)


def _tell_one(look: _Look, finding: Finding) -> None:
    world, story = look.world, _story(finding)
    state = world.ledger.system(finding.subject)
    incident = world.ledger.incident(state.incident_id) if state.incident_id else None
    if incident is None or not incident.is_open:
        if finding.cause is not causes.HELD_BACK:  # converge opens that one, where something is held back
            open_shared(world, finding.subject, finding.name, finding.cause, story)
    elif finding.stage > _stage_told(incident):
        _continue(world, state, continue_incident(incident, look.now, story))


def _continue(world: World, state: SystemState, incident: Incident) -> None:
    try:
        world.ledger.commit_system(state, state, incident)
    except ConcurrentUpdateError:
        return  # somebody told something of the same subject at this moment; the next check looks again


def _story(finding: Finding) -> Story:
    return Story(what=finding.what, kept=finding.kept, facts={_STAGE: str(finding.stage)})


def _stage_told(incident: Incident) -> int:
    """The stage that admins know of; one that converge opened for a single registry is at stage 1."""
    told = (change.facts.get(_STAGE) for change in reversed(incident.changes))
    return int(next((stage for stage in told if stage), "1"))
