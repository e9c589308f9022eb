"""Implements `Diagnosis`: the network and ECR, looked at in turn and given up on after a few seconds."""

from collections.abc import Callable, Sequence
from itertools import islice
from threading import Thread

from registry_autopilot.causes import AutopilotError
from registry_autopilot.diagnosis import SECONDS, Target, repositories_words, server_of
from registry_autopilot.hosts import parse_ecr_host
from registry_autopilot.network import Network, Say
from registry_autopilot.ports import Repositories
from registry_autopilot.registry import RegistryType

_LISTED = 1000  # repositories: one page of DescribeRepositories


class OwnView:
    """What can be seen of a registry from where the function runs.

    Attributes:
        skip: why a host is not connected to although a credential may go there; None: it is.
        seconds: how long a look lasts at most.
    """

    def __init__(
        self,
        network: Network,
        repositories: Repositories,
        *,
        skip: Callable[[str], str | None] = lambda _: None,
        seconds: float = SECONDS,
    ) -> None:
        self._network = network
        self._repositories = repositories
        self._skip = skip
        self._seconds = seconds

    def look(self, target: Target) -> Sequence[str]:
        """What was seen until the time was over. A name's resolution cannot be interrupted: it is left behind."""
        seen: list[str] = []
        looking = Thread(target=self._look, args=(target, seen.append), name="diagnosis", daemon=True)
        looking.start()
        looking.join(self._seconds)
        late = (f"the rest was not seen within {self._seconds:g} seconds",) if looking.is_alive() else ()
        return (*seen, *late)

    def _look(self, target: Target, say: Say) -> None:
        for part in (self._at_network, self._at_repositories):
            try:
                part(target, say)
            except Exception as error:  # evidence only: a look that fails must not hide what it was for
                say(f"a part of it could not be looked at ({type(error).__name__})")

    def _at_network(self, target: Target, say: Say) -> None:
        server = server_of(target.endpoint)
        reason = self._skip(server.host) if server else "the endpoint cannot be read"
        if server is None or reason is not None:
            say(f"no connection was tried: {reason}")
            return
        self._network.look(server, target.ca, say)

    def _at_repositories(self, target: Target, say: Say) -> None:
        host = parse_ecr_host(target.endpoint)
        if host is None or target.identity.type is not RegistryType.ECR or target.is_elsewhere:
            return
        try:
            listed = self._repositories.listed(host.account, host.region)
            names = [one.name for one in islice(listed, _LISTED)]
        except AutopilotError:
            say("ECR does not let the function list repositories")
            return
        say(repositories_words(names, target.identity.base_content_path, _LISTED))
