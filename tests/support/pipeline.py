"""The whole pipeline in one process and in virtual time: route, converge, notify, tick; the real use cases."""

from collections.abc import Callable, Sequence
from typing import Any

from registry_autopilot.audience import Audience
from registry_autopilot.converge import converge
from registry_autopilot.matching import Home
from registry_autopilot.notify import Desk, announce
from registry_autopilot.ports import ConcurrentUpdateError, Mode, Rules, Vertex
from registry_autopilot.records import Outcome, RegistryState
from registry_autopilot.routing import Message, route
from registry_autopilot.steps.attempt import World
from registry_autopilot.sweep import Limits, Tools
from tests.support import events
from tests.support.crashes import CrashError, Knife
from tests.support.ledger import MemoryLedger
from tests.support.world import (
    ACCOUNT,
    REGION,
    CountingMetrics,
    FakeChannel,
    FakeDefinitions,
    FakeDiagnosis,
    FakePath,
    FakeProver,
    FakeRepositories,
    FakeSecrets,
    FakeTokens,
    FakeVersions,
    FifoQueue,
    VirtualClock,
)

MODE_PARAMETER = "/registry-autopilot/control/mode"
BATCH = 100
MAX_RECEIVES = 5


class Pipeline:
    """Everything between an event and VerteX, without sockets."""

    def __init__(
        self,
        definitions: Sequence[dict[str, Any]],
        vertex: Callable[[], Vertex],
        *,
        clock: VirtualClock | None = None,
        rules: Rules | None = None,
        mode: Mode = Mode.ACT,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.definitions = FakeDefinitions(definitions, mode)
        self.secrets = FakeSecrets(self.clock)
        self.repositories = FakeRepositories()
        self.prover = FakeProver()
        self.tokens = FakeTokens(self.clock)
        self.diagnosis = FakeDiagnosis()
        self.ledger = MemoryLedger()
        self.queue = FifoQueue(self.clock)
        self.metrics = CountingMetrics()
        self.sns, self.slack = FakeChannel("sns"), FakeChannel("slack")
        self.vertex = vertex
        self.rules = rules or Rules()
        self.knife = Knife()
        self.audience = Audience()
        self.remind_after: float | None = None
        self.limits = Limits()
        self.path_doubts: list[str] = []
        self.outcomes: list[Outcome] = []
        self.dead: list[str] = []

    @property
    def world(self) -> World:
        """The collaborators, as the knife of the moment cuts them."""
        wrap = self.knife.wrap
        return World(
            definitions=wrap(self.definitions),
            secrets=wrap(self.secrets),
            repositories=wrap(self.repositories),
            prover=wrap(self.prover),
            tokens=wrap(self.tokens),
            vertex=lambda: wrap(self.vertex()),
            ledger=wrap(self.ledger),
            metrics=self.metrics,
            clock=self.clock,
            rules=self.rules,
            home=Home(ACCOUNT, REGION),
            console_link=lambda key: f"https://console.example/{key}",
            diagnosis=wrap(self.diagnosis),
            versions=wrap(FakeVersions(self.secrets)),
        )

    @property
    def tools(self) -> Tools:
        """The sweep's collaborators, as the knife of the moment cuts them."""
        wrap = self.knife.wrap
        return Tools(
            self.world,
            wrap(FakeVersions(self.secrets)),
            wrap(self.queue),
            wrap(FakePath(self.path_doubts)),
            self.limits,
        )

    def deliver(self, *envelopes: Any) -> list[Outcome]:
        """Route events in batches, then work until idle; the outcomes of this delivery."""
        begun = len(self.outcomes)
        bodies = [e if isinstance(e, str) else events.body(e) for e in envelopes]
        for start in range(0, len(bodies), BATCH):
            self._route([Message(str(start + i), b) for i, b in enumerate(bodies[start : start + BATCH])])
        self.drain()
        return self.outcomes[begun:]

    def tick(self) -> list[Outcome]:
        """What is due now."""
        return self.deliver(events.tick(self.clock()))

    def run(self, seconds: float, *, step: float = 60) -> list[Outcome]:
        """Let time pass, with a tick each minute."""
        begun, end = len(self.outcomes), self.clock() + seconds
        while self.clock() < end:
            self.clock.now = min(end, self.clock() + step)
            self.tick()
        return self.outcomes[begun:]

    def drain(self) -> None:
        """Work until the work queue is empty and admins are told."""
        while self.queue.waiting:
            self._work(self.queue.waiting.pop(0))
        self._notify()

    def state(self, name: str) -> RegistryState:
        """The ledger's state of a registry by its name in VerteX."""
        return next(state for state in self.ledger.states.values() if state.name == name)

    def _route(self, messages: Sequence[Message]) -> None:
        pending = list(messages)
        for _ in range(MAX_RECEIVES):
            try:
                failed = set(route(pending, self.world, self.queue, mode_parameter=MODE_PARAMETER).failed)
            except CrashError:
                failed = {message.id for message in pending}
            pending = [message for message in pending if message.id in failed]
            if not pending:
                return
        self.dead += [message.body for message in pending]

    def _work(self, item: Any) -> None:
        for _ in range(MAX_RECEIVES):
            try:
                self.outcomes.append(converge(item, self.world))
            except (CrashError, ConcurrentUpdateError):
                self.clock.now += 1080  # redelivered after the visibility timeout
                continue
            return
        self.queue.poisoned.append(item)

    def _notify(self) -> None:
        while self.ledger.prompts:
            incident_id = self.ledger.prompts.pop(0)
            for _ in range(MAX_RECEIVES):
                try:
                    left = announce([incident_id], self.desk)
                except CrashError:
                    continue
                if not left:
                    break

    @property
    def desk(self) -> Desk:
        """Notify's collaborators, as the knife of the moment cuts them."""
        wrap = self.knife.wrap
        channels = (wrap(self.sns), wrap(self.slack))
        ledger = wrap(self.ledger)
        return Desk(ledger, ledger, channels, self.metrics, self.clock, self.audience, self.remind_after)
