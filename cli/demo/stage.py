"""What a scene works with: a running sandbox, words for the audience, and claims that are checked."""

import time
from collections.abc import Mapping
from typing import Any

from cli.loading import LoadedEvent
from cli.replay import settle
from cli.report import Ledger, notices_of, registries_of, requests_of
from sandbox.aws.local import Credentials
from sandbox.stack import Sandbox
from sandbox.vertex import Entry, Journal, Snapshot, SyncStart, VertexStandIn

REGISTRIES = "/v1/registries"
SYNC_QUIET_SECONDS = 300  # the template's SyncQuietSeconds


class Stage:
    """One scene at a time, all of them on the same sandbox.

    Attributes:
        vertex: the stand-in.
        events: every event of the story so far, as `replay` would have loaded it.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        if sandbox.vertex is None:
            raise ValueError("vertex_url: set; the demo plays on a stand-in only, since it breaks things on purpose")
        self.sandbox = sandbox
        self.vertex: VertexStandIn = sandbox.vertex
        self.events: list[LoadedEvent] = []
        self.begin("")

    def begin(self, name: str) -> None:
        """Begin a scene: what follows counts as its own."""
        self._name = name
        self._story: list[str] = []
        self._failed = False
        self._requests_before = len(self.journal)
        self._syncs_before = len(self.vertex.syncs())
        self._sns_before = len(self.sandbox.notices())
        self._slack_before = len(self.sandbox.slack.messages)
        self._began = time.monotonic()

    @property
    def journal(self) -> Journal:
        """Every request to VerteX so far."""
        return self.vertex.journal

    def say(self, words: str) -> None:
        """Tell the audience something."""
        self._story.append(words)

    def claim(self, words: str, holds: object) -> None:
        """Tell the audience something that is checked: `holds` is true, or the scene has failed."""
        self._failed = self._failed or not holds
        self._story.append(f"{'✓' if holds else '✗ NOT SO:'} {words}")

    def create_repositories(self, *names: str) -> None:
        """Repositories appear in ECR, all before anything comes of the first."""
        for name in names:
            self._note(self.sandbox.activity.create_repository(name))
        self.settle()

    def push_image(self, repository: str) -> None:
        """An image is pushed."""
        self._note(self.sandbox.activity.push_image(repository))
        self.settle()

    def put_secret(self, name: str, value: Mapping[str, str]) -> None:
        """A secret gets a new current value; the wait for a fresh access key passes in the sandbox's time."""
        self._note(self.sandbox.activity.put_secret(name, value))
        self.settle()

    def new_pull_key(self) -> Credentials:
        """One more access key of the user that may pull, which AWS knows from now on."""
        iam = self.sandbox.aws.client("iam")
        user = self.sandbox.seeds.pull_user
        keys = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        if len(keys) > 1:  # an IAM user has two at most: the older one has served its time
            iam.delete_access_key(UserName=user, AccessKeyId=keys[0]["AccessKeyId"])
        made = iam.create_access_key(UserName=user)["AccessKey"]
        return Credentials(made["AccessKeyId"], made["SecretAccessKey"])

    def users_of(self, secret: str) -> list[str]:
        """Names of the registries whose credential is this secret."""
        states = self.ledger().states.values()
        return [s.name for s in states if s.uid and any(f":secret:{secret}-" in used.arn for used in s.secrets)]

    def roll_back_secret(self, name: str) -> None:
        """AWSCURRENT goes back to the version before."""
        self._note(self.sandbox.activity.roll_back_secret(name))
        self.settle()

    def fail_rotation(self, name: str) -> None:
        """A rotation function fails; the secret keeps its value."""
        self._note(self.sandbox.activity.fail_rotation(name))
        self.settle()

    def create_silently(self, *names: str) -> None:
        """Repositories of which no event tells."""
        for name in names:
            self.sandbox.aws.client("ecr").create_repository(repositoryName=name)

    def plan(self) -> dict[str, Any]:
        """What a sweep would do, as `autopilot plan` shows it."""
        return self.sandbox.sweep("plan", rhythm="inventory")

    def apply(self, rhythm: str = "inventory") -> dict[str, Any]:
        """A sweep, and what comes of it."""
        report = self.sandbox.sweep("apply", rhythm=rhythm)
        self.settle()
        return report

    def restore(self, name: str) -> None:
        """Have one registry put right, as `autopilot restore` does."""
        self.sandbox.sweep("restore", name=name)
        self.settle()

    def put_definition(self, parameter: str, document: str) -> None:
        """A definition is changed in Parameter Store."""
        self._note(self.sandbox.activity.put_parameter(parameter, document))
        self.settle()

    def set_mode(self, mode: str) -> None:
        """The mode parameter is changed."""
        self._note(self.sandbox.activity.put_parameter(self.sandbox.deployment["ModeParameter"], mode))
        self.settle()

    def settle(self) -> None:
        """Run until idle."""
        settle(self.sandbox)

    def wait_for_sync(self) -> None:
        """Pushes stay quiet for as long as an owed sync waits."""
        self.wait(SYNC_QUIET_SECONDS + 1)

    def wait(self, seconds: float) -> None:
        """Let the sandbox's time pass at once, then tick."""
        self.sandbox.clock.advance(seconds)
        self.sandbox.tick()
        self.settle()

    def ledger(self) -> Ledger:
        """The ledger as it is now."""
        return Ledger(self.sandbox.ledger_items())

    def registry(self, name: str) -> Snapshot | None:
        """A registry in VerteX."""
        return next((registry for registry in self.vertex.registries() if registry.name == name), None)

    def registries_at(self, base_content_path: str) -> list[Snapshot]:
        """The registries in VerteX with this base content path."""
        return [registry for registry in self.vertex.registries() if registry.base_content_path == base_content_path]

    def requests(self, *methods: str) -> list[Entry]:
        """The scene's registry requests so far, of these methods or of any."""
        entries = self.journal.entries()[self._requests_before :]
        own = [entry for entry in entries if entry.path.startswith(REGISTRIES)]
        return [entry for entry in own if not methods or entry.method in methods]

    def writes(self) -> list[Entry]:
        """The scene's creates, updates and deletes so far; neither validates nor syncs."""
        return [e for e in self.requests("POST", "PUT", "DELETE") if not e.path.endswith(("/validate", "/sync"))]

    def validates(self) -> list[Entry]:
        """The scene's validates so far."""
        return [entry for entry in self.requests("POST") if entry.path.endswith("/validate")]

    def syncs(self, cause: str = "request") -> list[SyncStart]:
        """The scene's synchronizations so far: those that were asked for, or VerteX's own after a create."""
        return [start for start in self.vertex.syncs()[self._syncs_before :] if start.cause == cause]

    def notices(self, state: str | None = None, cause: str | None = None) -> list[dict[str, Any]]:
        """The scene's notices so far, on both channels."""
        every = notices_of(self.sandbox, self.ledger(), self._sns_before, self._slack_before)
        return [n for n in every if state in {None, n["state"]} and cause in {None, n["cause"]}]

    def end(self) -> dict[str, Any]:
        """The scene as the document has it, with its story and how long it took in seconds."""
        self.say(f"{len(self.requests())} registry requests to VerteX")
        return {
            "name": self._name,
            "ok": not self._failed,
            "registries": registries_of(self.ledger()),
            "vertex_requests": requests_of(self.journal, self._requests_before),
            "notices": self.notices(),
            "story": self._story,
            "seconds": round(time.monotonic() - self._began, 1),
        }

    def _note(self, envelope: dict[str, Any]) -> None:
        self.events.append(LoadedEvent(f"demo: {self._name}", envelope))
