"""A receiver of Slack's incoming webhooks: keeps what was posted, and refuses what Slack would refuse.

Source: Slack's documentation, "Sending messages using incoming webhooks" and "Block Kit: blocks" (limits).
"""

import json
import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from werkzeug.wrappers import Request, Response

from sandbox.serving import Environ, LocalServer, reset_connection

_MAX_BLOCKS = 50
_MAX_TEXT = 40_000
_MAX_FIELDS = 10
_MAX_ELEMENTS = {"context": 10, "actions": 25}
# Characters of a block's own text, and of a section's fields.
_MAX_BLOCK_TEXT = {"header": 150, "section": 3000}
_MAX_FIELD_TEXT = 2000
_OK, _BAD_REQUEST, _NOT_FOUND = 200, 400, 404


@dataclass(frozen=True, slots=True)
class SlackAnswer:
    """One scripted answer.

    Attributes:
        status: HTTP status; None resets the connection.
        retry_after: value of the `Retry-After` header that comes with a 429, in seconds.
        delay: real seconds before the answer.
    """

    status: int | None
    body: str = ""
    retry_after: int | None = None
    delay: float = 0.0


class SlackReceiver:
    """Receives posts over real HTTP on a free port of this machine. A context manager. Thread-safe.

    Attributes:
        attempts: how many posts came, refused ones included.
    """

    def __init__(self) -> None:
        self.attempts = 0
        self._path = (
            "/services/" + "/".join(secrets.token_hex(5).upper() for _ in range(2)) + f"/{secrets.token_hex(12)}"
        )
        self._server = LocalServer(self._receive)
        self._lock = threading.Lock()
        self._messages: list[dict[str, Any]] = []
        self._script: list[SlackAnswer] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Receive until `stop`."""
        self._server.start()

    def stop(self) -> None:
        """Stop listening; the messages stay. Stopping twice is fine."""
        self._server.stop()

    @property
    def webhook_url(self) -> str:
        """The URL to post to, once started; a secret, like a real one."""
        return self._server.url + self._path

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was taken, parsed, in order."""
        with self._lock:
            return list(self._messages)

    def answer(self, *answers: SlackAnswer) -> None:
        """Answer the next posts so, one each; what is answered with other than 200 is not kept."""
        with self._lock:
            self._script.extend(answers)

    def clear(self) -> None:
        """Forget messages, attempts and script."""
        with self._lock:
            self._messages.clear()
            self._script.clear()
            self.attempts = 0

    def _receive(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        raw = request.get_data()
        with self._lock:
            self.attempts += 1
            scripted = self._script.pop(0) if self._script else None
        time.sleep(scripted.delay if scripted else 0)
        if scripted and scripted.status is None:
            reset_connection(environ)
        response = _scripted(scripted) if scripted else self._judge(request, raw)
        if response.status_code == _OK:
            with self._lock:
                self._messages.append(json.loads(raw))
        return response(environ, start_response)

    def _judge(self, request: Request, raw: bytes) -> Response:
        if request.path != self._path:
            return Response("no_service", _NOT_FOUND)
        if request.method != "POST" or (refusal := find_refusal(raw)):
            return Response(refusal if request.method == "POST" else "invalid_payload", _BAD_REQUEST)
        return Response("ok", _OK)


def find_refusal(raw: bytes) -> str | None:
    """What Slack would answer with a 400; None: it would take the payload."""
    try:
        payload = json.loads(raw)
    except ValueError:
        return "invalid_payload"
    if not isinstance(payload, Mapping):
        return "invalid_payload"
    text, blocks = payload.get("text"), payload.get("blocks", [])
    if not text and not blocks:
        return "no_text"
    if not isinstance(text or "", str) or len(text or "") > _MAX_TEXT or not _are_valid(blocks):
        return "invalid_payload"
    return None


def _are_valid(blocks: object) -> bool:
    return isinstance(blocks, list) and len(blocks) <= _MAX_BLOCKS and all(_is_valid(block) for block in blocks)


def _is_valid(block: object) -> bool:
    if not isinstance(block, Mapping) or not isinstance(kind := block.get("type"), str):
        return False
    elements, fields = block.get("elements", []), block.get("fields", [])
    if kind in _MAX_ELEMENTS and not 1 <= len(elements) <= _MAX_ELEMENTS[kind]:
        return False
    if kind not in _MAX_BLOCK_TEXT:
        return True
    if kind == "section" and "text" not in block and not fields:
        return False
    fits = "text" not in block or _fits(block["text"], _MAX_BLOCK_TEXT[kind], plain=kind == "header")
    return fits and len(fields) <= _MAX_FIELDS and all(_fits(field, _MAX_FIELD_TEXT) for field in fields)


def _fits(text: object, limit: int, *, plain: bool = False) -> bool:
    """Whether a text object is complete and short enough; a header takes plain text only."""
    if not isinstance(text, Mapping) or text.get("type") not in ({"plain_text"} if plain else {"plain_text", "mrkdwn"}):
        return False
    words = text.get("text")
    return isinstance(words, str) and 1 <= len(words) <= limit


def _scripted(answer: SlackAnswer) -> Response:
    response = Response(answer.body or ("ok" if answer.status == _OK else ""), answer.status or _OK)
    if answer.retry_after is not None:
        response.headers["Retry-After"] = str(answer.retry_after)
    return response
