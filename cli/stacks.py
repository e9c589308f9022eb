"""Where a command acts: a deployed stack, found by its name, or a running sandbox, which is one, too."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import UsageError
from registry_autopilot.aws.ledger import DynamoLedger

STACK_VARIABLE = "AUTOPILOT_STACK"
_NEEDED = ("LedgerTable", "DefinitionsPath", "ModeParameter", "SweepFunction", "EventsQueue")
_CONFIG = Config(connect_timeout=5, read_timeout=920, retries={"mode": "standard", "total_max_attempts": 2})


class InvocationError(Exception):
    """Raised when a function of the stack failed; says how, in its own words."""


@dataclass(frozen=True, slots=True)
class Target:
    """A stack.

    Attributes:
        outputs: the stack's outputs, such as `LedgerTable`.
    """

    name: str
    session: boto3.Session
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:
        """A client of an AWS service, where the stack is."""
        return self.session.client(service, config=_CONFIG)  # type: ignore[call-overload] # any service is fine here

    @property
    def ledger(self) -> DynamoLedger:
        """The stack's ledger."""
        return DynamoLedger(self.client("dynamodb"), self.outputs["LedgerTable"])

    def invoke(self, output: str, order: Mapping[str, Any]) -> dict[str, Any]:
        """Run a function of the stack, and wait for its answer.

        Raises:
            InvocationError: it failed, or says what it could not do.
        """
        answer = self.client("lambda").invoke(FunctionName=self.outputs[output], Payload=json.dumps(order).encode())
        result = json.loads(answer["Payload"].read() or b"null")
        if "FunctionError" in answer:
            words = result.get("errorMessage", "no message") if isinstance(result, Mapping) else "no message"
            raise InvocationError(f"{self.outputs[output]} failed: {words}; its log says more")
        if "failed" in result:
            raise InvocationError(f"{result['failed']}: {result['detail']}")
        return dict(result)


def find_target(stack: str | None, *, region: str | None = None, profile: str | None = None) -> Target:
    """The stack of a name, or the one that the environment names (a running sandbox's env file does).

    Raises:
        UsageError: none is named, or there is no such stack of ours.
    """
    name = stack or os.environ.get(STACK_VARIABLE)
    if not name:
        raise UsageError(
            "--stack: missing; name a deployed stack, or load the env file of a running `autopilot sandbox`"
        )
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        described = session.client("cloudformation", config=_CONFIG).describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        raise UsageError(f"--stack: {name!r}: {error.response['Error']['Message']}") from None
    except BotoCoreError as error:
        raise UsageError(f"--stack: {name!r}: AWS could not be asked ({error}); see --region and --profile") from None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    missing = [output for output in _NEEDED if output not in outputs]
    if missing:
        raise UsageError(f"--stack: {name!r}: has no output {', '.join(missing)}; is it a Registry Autopilot stack?")
    return Target(name, session, outputs)
