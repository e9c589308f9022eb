"""The plan of a sweep as a pure function: one observation per rule, and the entry it leads to."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from registry_autopilot.causes import DEFINITION_INVALID, DRIFTED
from registry_autopilot.definitions import Definition
from registry_autopilot.matching import Lead
from registry_autopilot.planning import Action, Asked, Entry, Observation, plan
from registry_autopilot.records import Intent, RegistryState, UsedSecret
from registry_autopilot.registry import CredentialKind, DesiredRegistry, Identity, Provider, RegistryType, SecretRef
from registry_autopilot.vertex.models import RegistryMetadata, RegistrySummary, SyncStatus
from registry_autopilot.work import Doubt, TriggerNote, WorkItem

NOW = 1_800_000_000.0
HOUR = 3600
DAY = 24 * HOUR
UID = "0123456789abcdef01234567"
NAME = "mirror"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:mirror-AbCdEf"
IDENTITY = Identity(RegistryType.BASIC, Provider.ZARF, "mirror.example.gov", "m")
KEY = IDENTITY.key
RULES: dict[str, Any] = {
    "id": "mirror",
    "name": NAME,
    "type": "basic",
    "provider": "zarf",
    "endpoint": "https://mirror.example.gov",
    "base_content_path": "m",
}
DESIRED = DesiredRegistry(
    IDENTITY,
    NAME,
    "https://mirror.example.gov",
    synchronize=True,
    credential_kind=CredentialKind.NONE,
    secrets=(SecretRef("credentials", SECRET, "one"),),
)
STATE = RegistryState.fresh(IDENTITY).with_(
    uid=UID,
    name=NAME,
    definition_id="mirror",
    confirmed=True,
    fingerprint=DESIRED.fingerprint,
    secrets=(UsedSecret(use="credentials", arn=SECRET, version_id="one"),),
    written_at=NOW - HOUR,
    proved_at=NOW - HOUR,
)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _asked(**rules: Any) -> Asked:
    definition = Definition.model_validate(RULES | rules)
    item = WorkItem(
        type=IDENTITY.type,
        provider=IDENTITY.provider,
        location=IDENTITY.location,
        base_content_path=IDENTITY.base_content_path,
        definition_id=definition.id,
        endpoint="https://mirror.example.gov",
        triggers=(TriggerNote(kind="sweep", event_id="s", at=NOW),),
    )
    return Asked(Lead(definition, IDENTITY, (False, 0)), item, DESIRED)


def _summary(state: str = "succeeded", *, ran: float | None = NOW - HOUR, modified: float | None = None) -> Any:
    sync = SyncStatus(state, None if ran is None else _iso(ran))
    last_modified = None if modified is None else _iso(modified)
    return RegistrySummary(
        UID, NAME, IDENTITY.type, IDENTITY.provider, "https://mirror.example.gov", None, last_modified, sync
    )


def _seen(asked: Asked | None, state: RegistryState | None = STATE, **changes: Any) -> Observation:
    listed = {} if state is None or state.uid is None else {state.uid: _listed(state.uid, NAME)}
    summaries: Mapping[str, RegistrySummary] = {UID: _summary()}
    seen = Observation(
        now=NOW,
        period=HOUR,
        swept_at=NOW - HOUR,
        inventoried_at=NOW - HOUR,
        asked={} if asked is None else {KEY: asked},
        states={} if state is None else {KEY: state},
        seen=None,
        listed=listed,
        summaries=summaries,
        same={},
    )
    return replace(seen, **changes)


def _listed(uid: str, name: str) -> RegistryMetadata:
    return RegistryMetadata(uid, name, "system", is_default=False, kind="oci")


def _one(seen: Observation) -> Entry:
    (entry,) = plan(seen).entries
    return entry


def test_nothing_is_planned_when_the_registry_is_what_is_asked_for() -> None:
    """No entry at all; it is counted."""
    found = plan(_seen(_asked()))
    assert found.entries == ()
    assert found.counts == {"nothing": 1}
    assert not found.pending


@pytest.mark.parametrize(
    "busy",
    [
        STATE.with_(busy_until=NOW + 1, fingerprint="older"),
        STATE.with_(uid=None, intent=Intent(name=NAME, fingerprints=("f",), at=NOW, lease_until=NOW + 1)),
    ],
)
def test_registry_is_left_alone_when_another_worker_writes_it(busy: RegistryState) -> None:
    """It is looked at again at the next sweep."""
    assert plan(_seen(_asked(), busy)).entries == ()


def test_definition_that_cannot_be_followed_is_told_once() -> None:
    """Converge tells it; where it has, the plan shows it and hands out no work."""
    asked = replace(_asked(), problem="no region is known for it")
    entry = _one(_seen(asked))
    assert (entry.action, entry.why) == (Action.REPORT, "no region is known for it")
    assert entry.item is not None
    told = STATE.with_(refused_cause=DEFINITION_INVALID.slug)
    assert _one(_seen(asked, told)).item is None


def test_registry_that_is_only_synced_is_reported_when_it_is_gone() -> None:
    """And looked after when it is there."""
    asked = _asked(manage="sync-only")
    gone = _one(_seen(asked, listed={}))
    assert (gone.action, gone.why) == (Action.REPORT, f"the registry {UID} was deleted in VerteX")
    assert gone.item is not None
    assert gone.item.doubts == (Doubt.DRIFT,)
    assert _one(_seen(asked, STATE.with_(refused_cause=DRIFTED.slug), listed={})).item is None
    failed = _one(_seen(asked, summaries={UID: _summary("failed")}))
    assert (failed.action, failed.uid) == (Action.SYNC, UID)
    assert plan(_seen(asked, None)).entries == ()


def test_drift_is_shown_at_each_sweep_and_told_once() -> None:
    """Renamed, then told; a further write by somebody is looked into again."""
    renamed = {UID: _listed(UID, "another")}
    first = _one(_seen(_asked(), listed=renamed))
    assert first.why == "somebody renamed it to 'another'"
    assert first.item is not None
    told = STATE.with_(refused_cause=DRIFTED.slug)
    again = _one(_seen(_asked(), told, listed=renamed))
    assert (again.why, again.item) == ("somebody changed it in VerteX", None)
    moved = _one(_seen(_asked(), told, summaries={UID: _summary(modified=NOW - 60)}))
    assert moved.item is not None


def test_token_is_renewed_when_half_of_its_time_and_the_grace_are_over() -> None:
    """The due time renews it; the sweep makes up for a tick that did not run."""
    held = STATE.with_(expires_at=NOW + HOUR, written_at=NOW - HOUR - 2000)
    assert _one(_seen(_asked(), held)).action is Action.RENEW
    assert plan(_seen(_asked(), held.with_(expires_at=NOW + 5 * HOUR))).entries == ()


def test_definition_that_asks_for_something_else_is_an_update() -> None:
    """Not a refresh: no version moved."""
    entry = _one(_seen(_asked(), STATE.with_(fingerprint="older")))
    assert (entry.action, entry.missed) == (Action.UPDATE, False)
    assert entry.why == "the definition asks for something else than was applied"


def test_secret_whose_version_moved_is_a_refresh_and_names_the_secret() -> None:
    """Whether an event should have told it depends on when it moved, and on whether it was tried."""
    older = STATE.with_(fingerprint="older", secrets=(UsedSecret(use="credentials", arn=SECRET, version_id="before"),))
    asked = replace(_asked(), changed_at=NOW - 1800)
    entry = _one(_seen(asked, older))
    assert entry.action is Action.REFRESH
    assert "mirror-AbCdEf" in entry.why
    assert entry.missed
    assert not _one(_seen(asked, older.with_(refused_at=NOW - 1700))).missed
    assert not _one(_seen(replace(asked, changed_at=NOW - 60), older)).missed


@pytest.mark.parametrize(
    ("state", "summary", "action", "words"),
    [
        (STATE, _summary("failed"), Action.SYNC, "its synchronization failed"),
        (STATE.with_(sync_failed=True), _summary("failed"), Action.REPORT, "tried again by its own rule"),
        (STATE, _summary("running", ran=NOW - 3 * HOUR), Action.SYNC, "does not end"),
        (STATE, _summary(ran=NOW - 30 * HOUR), Action.SYNC, "30 hours old"),
        (STATE.with_(written_at=NOW - 2 * DAY), _summary("pending", ran=None), Action.REPORT, "never synchronized"),
    ],
)
def test_synchronization_that_is_not_well_is_an_entry(
    state: RegistryState, summary: RegistrySummary, action: Action, words: str
) -> None:
    """What converge can mend is work; the rest is shown."""
    entry = _one(_seen(_asked(), state, summaries={UID: summary}))
    assert (entry.action, entry.item is not None) == (action, action is Action.SYNC)
    assert words in entry.why


@pytest.mark.parametrize(
    "summary",
    [_summary("running"), _summary("pending", ran=None), _summary("unsupported", ran=None), _summary("unknown")],
)
def test_synchronization_that_may_still_end_well_is_no_entry(summary: RegistrySummary) -> None:
    """Running for an hour, pending for an hour, or in words nobody knows."""
    assert plan(_seen(_asked(), summaries={UID: summary})).entries == ()


def test_synchronization_is_nobodys_business_when_the_definition_says_so() -> None:
    """`synchronize: false`; and where the summary does not show the registry."""
    assert plan(_seen(_asked(synchronize=False), summaries={UID: _summary("failed")})).entries == ()
    assert plan(_seen(_asked(), summaries={})).entries == ()


def test_stale_synchronization_is_left_to_the_one_that_is_owed() -> None:
    """A push that waits for its sync covers it."""
    owed = STATE.with_(owed_first=NOW - 60, owed_last=NOW - 60)
    assert plan(_seen(_asked(), owed, summaries={UID: _summary(ran=NOW - 30 * HOUR)})).entries == ()


@pytest.mark.parametrize("state", [None, STATE.with_(uid=None), STATE])
def test_secret_that_cannot_be_read_is_told_by_converge(state: RegistryState | None) -> None:
    """Whether there is a registry yet or not; once told as the secret's incident, no work is handed out."""
    asked = replace(_asked(), desired=None)
    entry = _one(_seen(asked, state))
    assert (entry.why, entry.item is not None) == ("a secret of it cannot be read", True)
    if state is not None:
        assert _one(_seen(asked, state.with_(blocked_by=f"secret:{SECRET}"))).item is None


def test_what_was_refused_or_held_back_is_left_to_its_own_next_try() -> None:
    """The plan says so, and hands out no work."""
    refused = STATE.with_(incident_id="i", refused_fingerprint=DESIRED.fingerprint, refused_cause="auth-failed")
    entry = _one(_seen(_asked(), refused))
    assert (entry.item, entry.why) == (None, "refused (auth-failed); it is tried again by its own rule")
    held = STATE.with_(uid=None, held="register", held_fingerprint=DESIRED.fingerprint)
    entry = _one(_seen(_asked(), held))
    assert (entry.item, entry.why) == (None, "held back by mode observe: would register")


def test_second_newcomer_of_one_name_is_a_conflict() -> None:
    """VerteX's names are unique; and so is a name that somebody else's registry has."""
    other = Identity(RegistryType.BASIC, Provider.ZARF, "mirror.example.gov", "n")
    twins = {KEY: _asked(), other.key: replace(_asked(), lead=Lead(_asked().lead.definition, other, (False, 0)))}
    entries = plan(replace(_seen(None, None, summaries={}), asked=twins)).entries
    assert sorted(entry.action for entry in entries) == [Action.CREATE, Action.REPORT]
    taken = _one(_seen(_asked(), None, listed={"u": _listed("u", NAME)}, summaries={}))
    assert taken.why == "the name is taken by the registry u"


def test_daily_proof_takes_the_longest_unproven_first() -> None:
    """And none that is busy, blocked or not confirmed."""
    old = STATE.with_(proved_at=NOW - 2 * DAY)
    entry = _one(_seen(_asked(), old))
    assert (entry.action, entry.why) == (Action.PROVE, "not proven for a day")
    assert entry.item is not None
    assert entry.item.doubts == (Doubt.PROOF,)
    for quiet in (old.with_(confirmed=False), old.with_(blocked_by="vertex"), old.with_(incident_id="i")):
        assert plan(_seen(_asked(), quiet)).entries == ()
    again = _one(_seen(_asked(), reprove=True))
    assert again.item is not None
    assert set(again.item.doubts) == {Doubt.DRIFT, Doubt.PROOF, Doubt.SYNC}
