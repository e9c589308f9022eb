"""How AWS says no: one exception, rendered as the service's protocol wants it."""

import json
from xml.sax.saxutils import escape

# Services that answer in XML; every other one used here answers in JSON.
QUERY_SERVICES = frozenset({"sts", "iam", "sns", "cloudformation"})


class RefusalError(Exception):
    """Raised when AWS would refuse a request that moto lets pass.

    Attributes:
        code: AWS's error code for the service.
        status: the HTTP status that comes with it.
    """

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status

    def render(self, service: str) -> tuple[list[tuple[str, str]], bytes]:
        """Headers and body of the refusal in the protocol of `service`."""
        if service in QUERY_SERVICES:
            return [("Content-Type", "text/xml")], self._xml()
        headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", self.code)]
        if service == "sqs":  # it keeps the codes of its former protocol in a header of their own
            headers.append(("x-amzn-query-error", f"{self.code};Sender"))
        return headers, json.dumps({"__type": self.code, "message": self.message}).encode()

    def _xml(self) -> bytes:
        error = f"<Type>Sender</Type><Code>{escape(self.code)}</Code><Message>{escape(self.message)}</Message>"
        return f"<ErrorResponse><Error>{error}</Error><RequestId>sandbox</RequestId></ErrorResponse>".encode()
