"""How the stand-in refuses: one exception, rendered as the API's error body (`v1Error`)."""

import json
import secrets

from flask import Response

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY, OPERATIONAL = 400, 401, 403, 404, 429, 500


class ApiError(Exception):
    """Raised when the stand-in refuses a request.

    Attributes:
        status: HTTP status; VerteX answers business errors with 500 ("Operational error", API introduction).
        code: `code` of the body.
        message: `message` of the body; like the real one it may echo what was sent.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message

    def render(self) -> Response:
        """The answer."""
        body = {"code": self.code, "message": self.message, "details": {}, "ref": secrets.token_hex(8)}
        return Response(json.dumps(body), self.status, mimetype="application/json")


def bad_request(message: str) -> ApiError:
    """A body or parameter that the API description does not allow (HTTP 400, "payload schema")."""
    return ApiError(BAD_REQUEST, "ValidationFailed", message)


def not_found(uid: str) -> ApiError:
    """An object that does not exist, or is of another type."""
    return ApiError(NOT_FOUND, "ResourceNotFound", f"OCI registry with uid {uid} not found")
