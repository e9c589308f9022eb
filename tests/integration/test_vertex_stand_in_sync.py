"""Synchronization on the stand-in, over HTTP and by its clock."""

from collections.abc import Iterator

import pytest

from tests.support.stand_in import HOST, START, Site, ecr_body, running


@pytest.fixture
def site() -> Iterator[Site]:
    with running(sync_seconds=30) as site:
        yield site


@pytest.fixture
def uid(site: Site) -> str:
    """A registry that was never synchronized."""
    return str(site.create(ecr_body(), skipPackSync="true").json()["uid"])


def causes(site: Site) -> list[str]:
    return [start.cause for start in site.vertex.syncs()]


def test_first_sync_runs_by_itself_when_a_registry_is_created(site: Site) -> None:
    """In progress, then completed, by the clock; the times are told."""
    uid = site.create(ecr_body()).json()["uid"]
    status = site.sync_status(uid)
    assert (status["status"], status["isSyncSupported"], "lastSyncedTime" in status) == ("InProgress", True, False)
    site.clock.now += 30
    status = site.sync_status(uid)
    assert status["status"] == "Completed"
    assert status["lastRunTime"] < status["lastSyncedTime"]
    assert [(s.uid, s.started_at, s.cause) for s in site.vertex.syncs()] == [(uid, START, "create")]


def test_no_sync_runs_when_the_creation_skips_it(site: Site, uid: str) -> None:
    """`skipPackSync` leaves the status without a word."""
    assert (site.sync_status(uid)["status"], causes(site)) == ("", [])


def test_sync_is_accepted_when_none_is_running(site: Site, uid: str) -> None:
    """202 without a body; asynchronous."""
    response = site.sync(uid)
    assert (response.status_code, response.content) == (202, b"")
    assert site.sync_status(uid)["status"] == "InProgress"
    site.clock.now += 30
    assert site.sync(uid).status_code == 202
    assert causes(site) == ["request", "request"]


@pytest.mark.parametrize(
    ("version", "waited", "force", "status"),
    [
        ("4.10.1", 0, False, 500),
        ("4.10.1", 3599, True, 500),
        ("4.10.1", 3600, False, 500),
        ("4.10.1", 3600, True, 202),
        ("4.9.13", 3600, True, 500),
    ],
)
def test_second_sync_needs_force_and_an_hour_when_one_is_running(
    site: Site, uid: str, version: str, waited: float, *, force: bool, status: int
) -> None:
    """Force sync exists since 4.9.14 and interrupts only what has been running for an hour."""
    site.vertex.version = version
    site.vertex.sync_seconds = 7200
    site.sync(uid)
    site.clock.now += waited
    site.use_token()
    assert site.sync(uid, force=force).status_code == status
    assert len(site.vertex.syncs()) == (2 if status == 202 else 1)


def test_status_tells_the_failure_when_a_sync_fails(site: Site, uid: str) -> None:
    """The next one is all right again."""
    site.vertex.fail_next_sync(uid, "manifest unknown")
    site.sync(uid)
    site.clock.now += 30
    status = site.sync_status(uid)
    assert (status["status"], status["message"]) == ("Failed", "manifest unknown")
    site.sync(uid)
    site.clock.now += 30
    assert site.sync_status(uid)["status"] == "Completed"


def test_sync_is_refused_when_the_registry_does_not_synchronize(site: Site) -> None:
    """Sync is optional for helm, and its status says so."""
    uid = site.create(ecr_body(providerType="helm", isSyncSupported=False)).json()["uid"]
    assert site.sync_status(uid)["isSyncSupported"] is False
    assert (site.sync(uid).status_code, causes(site)) == (500, [])


def test_seeded_registry_is_synchronized_when_the_story_begins(site: Site) -> None:
    """That sync is not part of the story."""
    uid = site.vertex.seed_registry(name="packs", endpoint=HOST, base_content_path="a")
    assert (site.sync_status(uid)["status"], causes(site)) == ("Completed", [])


def test_sync_is_not_begun_when_a_registry_is_updated(site: Site, uid: str) -> None:
    """A PUT only stores."""
    assert site.put(uid, ecr_body(baseContentPath="team-b")).status_code == 204
    assert causes(site) == []


def test_sync_is_not_found_when_the_registry_is_unknown(site: Site) -> None:
    """404, for the status too."""
    assert site.sync("0" * 24).status_code == 404
    assert site.http.get(f"/v1/registries/oci/{'0' * 24}/ecr/sync/status").status_code == 404
