"""Promise 3 and promise 7: many workers at once make one registry, and a stale secret makes one login."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from registry_autopilot.causes import AutopilotError
from registry_autopilot.converge import converge
from registry_autopilot.ports import ConcurrentUpdateError
from registry_autopilot.records import Outcome
from registry_autopilot.routing import Message, route
from registry_autopilot.vertex import login_policy
from registry_autopilot.vertex.login_policy import Failure, LoginState
from registry_autopilot.vertex.session import AdminCredentials, LoginBusyError, Session
from registry_autopilot.work import WorkItem
from tests.support import events
from tests.support.installation import FAMILY, Installation
from tests.support.pipeline import MODE_PARAMETER
from tests.support.world import START, host

WORKERS = 50
NAME = "team-a/spectro-packs/archive/nginx"


def _items(site: Installation) -> list[WorkItem]:
    """The work of two events at once: a plain and a FIPS host, and both definitions' names."""
    site.pipeline.repositories.add(NAME)
    for event in (events.created(NAME), events.created(NAME, fips=True)):
        message = Message("1", events.body(event))
        route([message], site.pipeline.world, site.pipeline.queue, mode_parameter=MODE_PARAMETER)
    taken, site.pipeline.queue.waiting = site.pipeline.queue.waiting, []
    return taken


def test_one_registry_is_made_when_fifty_workers_race() -> None:
    """Without the FIFO queue's order, and with two definitions of other names coming and going."""
    with Installation([FAMILY]) as site:
        items = _items(site)
        assert {item.endpoint for item in items} == {host(), host(fips=True)}
        barrier = threading.Barrier(WORKERS)

        def work(number: int) -> Outcome | None:
            barrier.wait()
            if number % 3 == 0:
                site.pipeline.definitions.documents = [FAMILY | {"name": f"other-{{base}}-{number % 2}"}]
            try:
                return converge(items[number % 2], site.pipeline.world)
            except ConcurrentUpdateError:
                return None

        with ThreadPoolExecutor(WORKERS) as pool:
            outcomes = list(pool.map(work, range(WORKERS)))
        assert Outcome.REGISTERED in outcomes
        for item in items:
            site.pipeline.queue.waiting.append(item)
        site.pipeline.drain()
        site.run(3600)
        assert len(site.registries()) == 1
        assert site.calls().count("POST create") == 1
        assert not site.pipeline.ledger.open_incidents()
        site.check_promise_one()


class _Claims:
    """The ledger's login document in memory, with its conditional write."""

    def __init__(self) -> None:
        self._state = LoginState()
        self._lock = threading.Lock()

    def claim(self, version_id: str) -> None:
        with self._lock:
            refusal = login_policy.decide(self._state, version_id, START)
            if refusal is not None and refusal.busy:
                raise LoginBusyError
            if refusal is not None:
                raise AutopilotError(refusal.cause, "not now")
            self._state = login_policy.claim(self._state, version_id, START)

    def succeeded(self, version_id: str) -> None:
        with self._lock:
            self._state = login_policy.succeed(self._state)

    def failed(self, version_id: str, how: Failure) -> None:
        with self._lock:
            self._state = login_policy.fail(self._state, version_id, how, START)


class _Admin:
    def __init__(self, version: str) -> None:
        self.version = version

    def read(self) -> AdminCredentials:
        return AdminCredentials("admin", SecretStr("stale-" + "p" * 8), "https://vertex.example.gov", self.version)


@pytest.mark.parametrize("answer", [401, 403, 500])
def test_one_login_is_made_when_fifty_workers_have_a_stale_secret(answer: int) -> None:
    """The account is never locked by us."""
    logins: list[str] = []

    def vertex(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/auth/syslogin":
            logins.append(request.method)
            return httpx.Response(answer, json={"code": "InvalidCredentials", "message": "no"})
        return httpx.Response(401)

    claims, admin = _Claims(), _Admin("one")

    def work(_: int) -> Any:
        http = httpx.Client(base_url="https://vertex.example.gov", transport=httpx.MockTransport(vertex))
        session = Session(
            http,
            secret=admin,
            claims=claims,
            vertex_url="https://vertex.example.gov",
            clock=lambda: START,
            sleep=lambda _: None,
        )
        with pytest.raises(AutopilotError):
            session.token()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, range(WORKERS)))
    assert len(logins) == 1
    admin.version = "two"
    work(0)
    assert len(logins) == 2
    admin.version = "three"
    work(0)
    assert len(logins) == 2
