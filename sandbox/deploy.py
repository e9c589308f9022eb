"""Deploys the project's template into the sandbox's AWS: what runs is the template, not a copy of it."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import clean_json, get_model_map
from moto.cloudformation.utils import yaml_tag_constructor
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from sandbox.aws import LocalAws

STACK_NAME = "sandbox"
_MAPPING = "AWS::Lambda::EventSourceMapping"
_FUNCTION = "AWS::Lambda::Function"

# Left out of what moto gets, each for a reason.
LEFT_OUT = {
    _MAPPING: "moto's own mappings take messages from the queues without running our code; the runner replaces them",
    "AWS::Lambda::LayerVersion": "the runner puts the layers' source folders on the path; there is no built archive",
    "AWS::CloudWatch::Dashboard": "moto has none",
    "AWS::SQS::QueuePolicy": "moto has none; the template's tests judge the policies",
    "AWS::SNS::TopicPolicy": "moto has none; the template's tests judge the policies",
    "AWS::SNS::Subscription": "moto has none; the sandbox subscribes a queue of its own",
    "AWS::CloudWatch::Alarm": "nothing in the sandbox measures",
    "AWS::Lambda::EventInvokeConfig": "nothing in the sandbox invokes asynchronously",
}


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (`!Ref`, `!Sub`, …) as their long ones."""


_TemplateLoader.add_multi_constructor(
    "!", lambda loader, suffix, node: yaml_tag_constructor(loader, f"!{suffix}", node)
)


class DeploymentError(Exception):
    """Raised when the template cannot be deployed; says what stands in the way."""


@dataclass(frozen=True, slots=True)
class Function:
    """A deployed function. `timeout` in seconds, `memory` in MB."""

    logical_id: str
    name: str
    arn: str
    code: Path
    handler: str
    timeout: float
    memory: int
    environment: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class EventSource:
    """An event source mapping as data; names as in Lambda's API reference, times in seconds."""

    logical_id: str
    function: str
    source_arn: str
    batch_size: int = 10
    window: float = 0
    maximum_concurrency: int | None = None
    patterns: tuple[str, ...] = ()
    on_failure_arn: str | None = None
    partial_failures: bool = False
    bisect: bool = False
    maximum_attempts: int | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """The stack as moto made it.

    Attributes:
        resources: physical id by logical id (queues: their URL; tables, roles, rules, parameters: their name;
            topics: their ARN).
        functions: by logical id.
    """

    resources: Mapping[str, str]
    outputs: Mapping[str, str]
    functions: Mapping[str, Function]
    sources: tuple[EventSource, ...]

    def __getitem__(self, logical_id: str) -> str:
        try:
            return self.resources[logical_id]
        except KeyError:
            raise KeyError(f"the template has no resource {logical_id} (or its condition is false)") from None


def deploy(aws: LocalAws, template: Path, parameters: Mapping[str, str]) -> Deployment:
    """Translate a SAM template and create it as a stack in the sandbox.

    Raises:
        DeploymentError: it does not translate, or moto could not make all of it.
    """
    sam = yaml.load(template.read_text(), Loader=_TemplateLoader)  # noqa: S506 - a subclass of SafeLoader
    known = {name: value for name, value in parameters.items() if name in sam.get("Parameters", {})}
    unknown = parameters.keys() - known.keys()
    if unknown:
        raise DeploymentError(f"parameters: {', '.join(sorted(unknown))} not in {template.name}; it offers others")
    folders = {name: template.parent / code for name, code in _code_folders(sam)}
    whole = _translate(sam, known, aws.region)
    trimmed = _trim(whole)
    _create(aws, trimmed, known)
    return _read_back(aws, whole, folders)


def _code_folders(sam: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The source folder of each function; SAM wants an S3 address in its place."""
    default = sam.get("Globals", {}).get("Function", {}).get("CodeUri")
    for name, resource in sam["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            yield name, properties.get("CodeUri", default)
            properties["CodeUri"] = "s3://sandbox/code"
        elif resource["Type"] == "AWS::Serverless::LayerVersion":
            properties["ContentUri"] = "s3://sandbox/layer"


def _translate(sam: Mapping[str, Any], parameters: Mapping[str, str], region: str) -> dict[str, Any]:
    session = boto3.Session(region_name=region)
    try:
        translated = Translator({}, Parser(), boto_session=session).translate(
            sam_template=copy.deepcopy(dict(sam)), parameter_values=dict(parameters)
        )
    except Exception as error:
        causes = "; ".join(str(getattr(cause, "message", cause)) for cause in getattr(error, "causes", [error]))
        raise DeploymentError(f"the template does not translate: {causes}") from error
    return dict(json.loads(json.dumps(translated)))


def _trim(template: Mapping[str, Any]) -> dict[str, Any]:
    trimmed = copy.deepcopy(dict(template))
    types = {resource["Type"] for resource in trimmed["Resources"].values()}
    unknown = sorted(types - LEFT_OUT.keys() - get_model_map().keys())
    if unknown:
        raise DeploymentError(
            f"moto cannot make {', '.join(unknown)}; if the sandbox can do without, add it to LEFT_OUT"
        )
    gone = {name for name, resource in trimmed["Resources"].items() if resource["Type"] in LEFT_OUT}
    trimmed["Resources"] = {k: v for k, v in trimmed["Resources"].items() if k not in gone}
    outputs = trimmed.get("Outputs", {}).items()
    trimmed["Outputs"] = {k: v for k, v in outputs if not any(f'"{name}"' in json.dumps(v) for name in gone)}
    for name, resource in trimmed["Resources"].items():
        if isinstance(resource.get("DependsOn"), list):
            resource["DependsOn"] = [name for name in resource["DependsOn"] if name not in gone]
        elif resource.get("DependsOn") in gone:
            del resource["DependsOn"]
        if resource["Type"] == _FUNCTION:
            resource["Properties"].pop("Layers", None)
            resource["Properties"]["Code"] = {"ZipFile": "# the runner runs the source folder"}
        if resource["Type"] == "AWS::SQS::Queue" and resource.get("Properties", {}).get("FifoQueue"):
            # CloudFormation names a FIFO queue rightly by itself; moto forgets the suffix.
            resource["Properties"].setdefault("QueueName", f"{STACK_NAME}-{name}.fifo")
    return trimmed


def _create(aws: LocalAws, template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
    client = aws.client("cloudformation")
    client.create_stack(
        StackName=STACK_NAME,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    stack = client.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise DeploymentError(
            f"the stack is {stack['StackStatus']}: {stack.get('StackStatusReason', 'no reason given')}"
        )


def _read_back(aws: LocalAws, whole: Mapping[str, Any], folders: Mapping[str, Path]) -> Deployment:
    with aws.lock:
        stacks = cloudformation_backends[aws.account][aws.region].stacks.values()
        stack = next(stack for stack in stacks if stack.name == STACK_NAME)
        resolver = stack.resource_map
        resources = {name: str(made.physical_resource_id) for name, made in _made(resolver)}
        sources = tuple(
            _source(name, clean_json(copy.deepcopy(resource["Properties"]), resolver))
            for name, resource in whole["Resources"].items()
            if resource["Type"] == _MAPPING and _wanted(resource, resolver)
        )
    described = aws.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    outputs = {output["OutputKey"]: str(output["OutputValue"]) for output in described.get("Outputs", [])}
    wanted = [name for name, r in whole["Resources"].items() if r["Type"] == _FUNCTION and name in resources]
    functions = {name: _function(aws, name, resources[name], folders[name]) for name in wanted}
    return Deployment(resources, outputs, functions, sources)


def _made(resolver: Any) -> Iterator[tuple[str, Any]]:
    for name in resolver.resources:
        made = resolver.get(name)
        if hasattr(made, "physical_resource_id"):
            yield name, made


def _wanted(resource: Mapping[str, Any], resolver: Any) -> bool:
    condition = resource.get("Condition")
    return condition is None or bool(resolver.lazy_condition_map[condition])


def _function(aws: LocalAws, logical_id: str, name: str, code: Path) -> Function:
    found = aws.client("lambda").get_function_configuration(FunctionName=name)
    return Function(
        logical_id=logical_id,
        name=name,
        arn=found["FunctionArn"],
        code=code,
        handler=found["Handler"],
        timeout=float(found["Timeout"]),
        memory=int(found["MemorySize"]),
        environment={k: str(v) for k, v in found.get("Environment", {}).get("Variables", {}).items()},
    )


def _source(logical_id: str, properties: Mapping[str, Any]) -> EventSource:
    filters = properties.get("FilterCriteria", {}).get("Filters", [])
    destination = properties.get("DestinationConfig", {}).get("OnFailure", {})
    attempts = int(properties.get("MaximumRetryAttempts", -1))
    concurrency = properties.get("ScalingConfig", {}).get("MaximumConcurrency")
    return EventSource(
        logical_id=logical_id,
        function=str(properties["FunctionName"]).rpartition(":")[2],
        source_arn=str(properties["EventSourceArn"]),
        batch_size=int(properties.get("BatchSize", 10)),
        window=float(properties.get("MaximumBatchingWindowInSeconds", 0)),
        maximum_concurrency=int(concurrency) if concurrency is not None else None,
        patterns=tuple(entry["Pattern"] for entry in filters),
        on_failure_arn=destination.get("Destination"),
        partial_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        bisect=str(properties.get("BisectBatchOnFunctionError", False)).lower() == "true",
        maximum_attempts=attempts + 1 if attempts >= 0 else None,
    )
