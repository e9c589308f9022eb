"""The VerteX admin secret, and the claims to login attempts in the ledger."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import SecretStr

from registry_autopilot import causes
from registry_autopilot.aws import ledger_items as items
from registry_autopilot.aws.ledger_items import n, s
from registry_autopilot.aws.secrets import SecretsManager
from registry_autopilot.causes import AutopilotError
from registry_autopilot.vertex import login_policy
from registry_autopilot.vertex.login_policy import Failure, LoginState
from registry_autopilot.vertex.session import AdminCredentials, LoginBusyError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY = {"pk": s("LOGIN"), "sk": s("STATE")}
_TRIES = 5


class SecretAdmin:
    """Implements `AdminSecret`: `{"username", "password", "url"}`, read anew each time."""

    def __init__(self, secrets: SecretsManager, arn: str) -> None:
        self._secrets = secrets
        self._arn = arn

    def read(self) -> AdminCredentials:
        """The current version.

        Raises:
            AutopilotError: secret-unreadable, secret-malformed; about VerteX, since all registries wait for it.
        """
        try:
            secret = self._secrets.read(self._arn)
        except AutopilotError as error:
            error.subject = "vertex"
            raise
        document = _decode(secret.value.get_secret_value())
        missing = [key for key in ("username", "password", "url") if not isinstance(document.get(key), str)]
        if missing:
            raise AutopilotError(
                causes.SECRET_MALFORMED,
                f"the VerteX admin secret {secret.name} lacks {', '.join(missing)}",
                subject="vertex",
            )
        return AdminCredentials(
            username=str(document["username"]),
            password=SecretStr(str(document["password"])),
            url=str(document["url"]),
            version_id=secret.version_id,
        )


class DynamoLoginClaims:
    """Implements `LoginClaims`: one document, each change conditional on its revision."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def claim(self, version_id: str) -> None:
        """Claim an attempt before it is made; see `LoginClaims`."""
        state, now = self._read(), self._clock()
        refusal = login_policy.decide(state, version_id, now)
        if refusal is not None and refusal.busy:
            raise LoginBusyError
        if refusal is not None:
            raise AutopilotError(
                refusal.cause,
                "no login to VerteX is tried now, so that the admin account is not locked",
                retry_after=max(1, round(refusal.until - now)),
            )
        if not self._write(state, login_policy.claim(state, version_id, now)):
            raise LoginBusyError

    def succeeded(self, version_id: str) -> None:
        """The attempt worked."""
        self._change(login_policy.succeed)

    def failed(self, version_id: str, how: Failure) -> None:
        """The attempt failed, or nobody knows."""
        self._change(lambda state: login_policy.fail(state, version_id, how, self._clock()))

    def _change(self, step: Callable[[LoginState], LoginState]) -> None:
        for _ in range(_TRIES):
            state = self._read()
            if self._write(state, step(state)):
                return

    def _read(self) -> LoginState:
        answer = self._client.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        return items.read_doc(LoginState, answer.get("Item")) or LoginState()

    def _write(self, was: LoginState, now: LoginState) -> bool:
        now = now.model_copy(update={"rev": was.rev + 1})
        condition = "rev = :was" if was.rev else "attribute_not_exists(pk)"
        values = {":doc": items.doc(now), ":rev": n(now.rev)} | ({":was": n(was.rev)} if was.rev else {})
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_KEY,
                UpdateExpression="SET doc = :doc, rev = :rev",
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _decode(text: str) -> dict[str, object]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
