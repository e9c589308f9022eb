"""What functions ask AWS for, request by request, and what their deployed roles let them ask."""

import ast
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult

from sandbox.aws import LocalAws
from sandbox.aws.local import make_credentials
from sandbox.aws.requests import RequestLog, SignedRequest
from sandbox.deploy import Deployment

# What a transaction's members need (DynamoDB developer guide, "Using IAM with DynamoDB transactions").
_MEMBERS = {name: f"dynamodb:{name}Item" for name in ("Put", "Update", "Delete")}
_MEMBERS["ConditionCheck"] = "dynamodb:ConditionCheckItem"


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """One action on one resource, as IAM judges it."""

    action: str
    resource: str


class RequestRecorder(RequestLog):
    """A request log that keeps the whole requests of some signers."""

    def __init__(self, signers: Mapping[str, str]) -> None:
        super().__init__()
        self._signers = signers
        self.requests: dict[str, list[SignedRequest]] = {name: [] for name in signers.values()}

    def add(self, request: SignedRequest, status: int) -> None:
        """Note an answered request."""
        super().add(request, status)
        if request.access_key_id in self._signers:
            self.requests[self._signers[request.access_key_id]].append(request)


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key id for each function, so that AWS can tell who asks."""

    functions: tuple[str, ...]
    ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids.update({name: make_credentials().access_key_id for name in self.functions})

    def given_to_each(self, environment_of: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
        """The sandbox's own maker of environments, with the function's key instead of the common one."""

        def environment(function: Any, *arguments: Any) -> dict[str, str]:
            made = environment_of(function, *arguments)
            return made | {"AWS_ACCESS_KEY_ID": self.ids[function.logical_id]}

        return environment

    def record(self, aws: LocalAws) -> RequestRecorder:
        """Let the sandbox's AWS serve these keys, and keep what they ask for."""
        recorder = RequestRecorder({key: name for name, key in self.ids.items()})
        gate = aws._gate
        gate.trusted_keys |= set(self.ids.values())
        gate.log = recorder
        return recorder


@dataclass(frozen=True, slots=True)
class Iam:
    """The sandbox's AWS as IAM sees it: names of things as ARNs, policies of the deployed roles."""

    aws: LocalAws
    deployment: Deployment

    def refused(self, function: str, needs: set[Need]) -> list[Need]:
        """Those needs that the function's role does not cover; its conditions on the request aside."""
        policies = [IAMPolicy(json.dumps(document)) for document in self._documents(function)]
        return sorted(need for need in needs if not _permits(policies, need))

    def granted(self, function: str) -> set[str]:
        """Every action that the function's role names."""
        statements = [s for document in self._documents(function) for s in document["Statement"]]
        actions = [s["Action"] if isinstance(s["Action"], list) else [s["Action"]] for s in statements]
        return {action for several in actions for action in several}

    def _documents(self, function: str) -> list[Any]:
        """The role's own policies; moto keeps them as Python's text, with None where NoValue was."""
        role = self.deployment[function.removesuffix("Function") + "Role"]
        iam = self.aws.client("iam")
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        texts = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        return [_without_none(ast.literal_eval(text)) for text in texts]

    def needs(self, request: SignedRequest) -> Iterator[Need]:
        """What IAM would look for in the function's policies.

        Raises:
            KeyError: a service or action that nobody has thought of yet; add its rule here.
        """
        if request.action == "TransactWriteItems":
            for member in request.parameters["TransactItems"]:
                ((kind, content),) = member.items()
                yield Need(_MEMBERS[kind], self._arn("dynamodb", f"table/{content['TableName']}"))
            return
        action = request.action.removesuffix("Batch") if request.service == "sqs" else request.action
        for resource in _RESOURCES[request.service](self, request.parameters):
            yield Need(f"{request.service}:{action}", resource)

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.aws.region}:{self.aws.account}:{resource}"

    def _table(self, parameters: Mapping[str, Any]) -> list[str]:
        if "RequestItems" in parameters:
            return [self._arn("dynamodb", f"table/{name}") for name in parameters["RequestItems"]]
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        return [self._arn("dynamodb", f"table/{parameters['TableName']}{index}")]

    def _queue(self, parameters: Mapping[str, Any]) -> list[str]:
        return [self._arn("sqs", parameters["QueueUrl"].rpartition("/")[2])]

    def _parameter(self, parameters: Mapping[str, Any]) -> list[str]:
        name = parameters.get("Path") or parameters["Name"]
        return [self._arn("ssm", f"parameter{name}")]

    def _secret(self, parameters: Mapping[str, Any]) -> list[str]:
        return [self.aws.client("secretsmanager").describe_secret(SecretId=parameters["SecretId"])["ARN"]]

    def _repositories(self, parameters: Mapping[str, Any]) -> list[str]:
        if "resourceArn" in parameters:
            return [parameters["resourceArn"]]
        return [self._arn("ecr", f"repository/{name}") for name in parameters.get("repositoryNames", ["*"])]

    def _anything(self, parameters: Mapping[str, Any]) -> list[str]:
        return ["*"]

    def _rule(self, parameters: Mapping[str, Any]) -> list[str]:
        return [self._arn("events", f"rule/{parameters['Name']}")]

    def _role(self, parameters: Mapping[str, Any]) -> list[str]:
        return [parameters["RoleArn"]]

    def _topic(self, parameters: Mapping[str, Any]) -> list[str]:
        return [parameters["TopicArn"]]


_RESOURCES: Mapping[str, Callable[[Iam, Mapping[str, Any]], list[str]]] = {
    "cloudtrail": Iam._anything,
    "dynamodb": Iam._table,
    "ecr": Iam._repositories,
    "events": Iam._rule,
    "secretsmanager": Iam._secret,
    "sns": Iam._topic,
    "sqs": Iam._queue,
    "ssm": Iam._parameter,
    "sts": Iam._role,
}


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(content) for name, content in value.items() if content is not None}
    if isinstance(value, list):
        return [_without_none(content) for content in value if content is not None]
    return value


def _permits(policies: list[IAMPolicy], need: Need) -> bool:
    results = [policy.is_action_permitted(need.action, need.resource) for policy in policies]
    return PermissionResult.PERMITTED in results and PermissionResult.DENIED not in results
