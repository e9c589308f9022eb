"""The gate before moto: it checks what AWS would check, forwards one request at a time, and logs."""

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.aws.access import check_access, check_trust_of_account
from sandbox.aws.invocations import Invoker, function_named
from sandbox.aws.invocations import answer as answer_invocation
from sandbox.aws.limits import check_limits
from sandbox.aws.logins import RegistryLogins
from sandbox.aws.refusals import RefusalError
from sandbox.aws.requests import RequestLog, SignedRequest, read_request, set_body
from sandbox.clock import SandboxClock

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

_CHALLENGE = [("WWW-Authenticate", 'Basic realm="ecr"'), ("Docker-Distribution-Api-Version", "registry/2.0")]
_UNSIGNED = RefusalError("MissingAuthenticationToken", "Request is missing Authentication Token", status=403)


@dataclass(slots=True)
class Gate:
    """WSGI middleware that makes moto as strict as AWS where it matters.

    Attributes:
        trusted_keys: access key ids that are not judged: the sandbox's own, and those of its functions.
        service_key: the access key id that may put events in the name of AWS's own services.
        account: whose root signs with a trusted key; a role must trust that account to be assumed by it.
        invoker: runs a function by its name; None: functions are left to moto.
        lock: held while moto works. moto's conditional writes and queues are not safe under concurrency; with
            one request at a time they are as atomic as AWS's.
    """

    moto: Wsgi
    clock: SandboxClock
    trusted_keys: frozenset[str]
    service_key: str
    account: str
    log: RequestLog = field(default_factory=RequestLog)
    lock: threading.RLock = field(default_factory=threading.RLock)
    invoker: Invoker | None = None
    logins: RegistryLogins = field(init=False)

    def __post_init__(self) -> None:
        self.logins = RegistryLogins(self.clock)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request as WSGI wants it."""
        if self.logins.concerns(environ):
            start_response(self.logins.status(environ), [*_CHALLENGE, ("Content-Length", "0")])
            return []
        request = read_request(environ)
        name = function_named(request) if request is not None and self.invoker is not None else None
        if request is not None and name is not None and self.invoker is not None:
            self.log.add(request, 200)
            return answer_invocation(name, request, self.invoker, start_response)  # it asks AWS itself: no lock
        with self.lock:
            if request is None:
                return _answer(_UNSIGNED, "", start_response)
            try:
                self._check(request)
            except RefusalError as refusal:
                self.log.add(request, refusal.status)
                return _answer(refusal, request.service, start_response)
            return self._forward(request, environ, start_response)

    def _check(self, request: SignedRequest) -> None:
        if request.access_key_id not in self.trusted_keys:
            check_access(request)
        elif (request.service, request.action) == ("sts", "AssumeRole"):
            check_trust_of_account(request, self.account)
        check_limits(request, may_speak_for_aws=request.access_key_id == self.service_key)

    def _forward(self, request: SignedRequest, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        _adapt(request, environ)
        answer: dict[str, Any] = {}

        def note(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> None:
            answer.update(status=status, headers=headers)

        chunks = self.moto(environ, note)
        body = b"".join(chunks)
        if hasattr(chunks, "close"):
            chunks.close()
        status = int(answer["status"].split()[0])
        self.log.add(request, status)
        if request.action == "GetAuthorizationToken" and status == 200:  # noqa: PLR2004 - HTTP's OK
            body = self.logins.renew(body)
        headers = [(k, v) for k, v in answer["headers"] if k.lower() != "content-length"]
        start_response(answer["status"], [*headers, ("Content-Length", str(len(body)))])
        return [body]


def _adapt(request: SignedRequest, environ: Environ) -> None:
    """Change what moto would misread."""
    if request.service == "ecr" and request.parameters.get("registryId"):
        # A registry of another account that shares its repositories: moto finds them only by this header.
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = str(request.parameters["registryId"])
    if request.action == "ReceiveMessage":
        # A long poll would hold the lock. It is answered at once, as AWS may do with any poll.
        set_body(environ, json.dumps({**request.parameters, "WaitTimeSeconds": 0}).encode())


def _answer(refusal: RefusalError, service: str, start_response: StartResponse) -> Iterable[bytes]:
    headers, body = refusal.render(service)
    start_response(f"{refusal.status} Refused", [*headers, ("Content-Length", str(len(body)))])
    return [body]
