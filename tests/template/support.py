"""The template, read and translated as SAM would, without AWS."""

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import yaml
from moto.events.models import EventPattern
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
EVENTS = ROOT / "events"


@cache
def source() -> dict[str, Any]:
    """The template as written, intrinsics in their long form."""
    return dict(yaml_parse(TEMPLATE.read_text()))


@cache
def translated() -> dict[str, Any]:
    """The CloudFormation that SAM makes of it."""
    template = copy.deepcopy(source())
    for resource in template["Resources"].values():
        for key in ("CodeUri", "ContentUri"):
            if key in resource.get("Properties", {}):
                resource["Properties"][key] = "s3://bucket/key"
    session = boto3.Session(region_name="xx-somewhere-1")  # a region that the template must not have named
    translator = Translator({}, Parser(), boto_session=session)
    return dict(translator.translate(sam_template=template, parameter_values={}))


def of_type(kind: str) -> dict[str, Any]:
    """Properties of all resources of a type, by logical id."""
    return {
        name: resource["Properties"] for name, resource in translated()["Resources"].items() if resource["Type"] == kind
    }


def statements() -> list[tuple[str, dict[str, Any]]]:
    """Every statement of every role's own policies, conditional ones unwrapped, with the role's logical id."""
    return [
        (role, statement["Fn::If"][1] if "Fn::If" in statement else statement)
        for role, properties in of_type("AWS::IAM::Role").items()
        for policy in properties.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]


@cache
def patterns() -> dict[str, Any]:
    """Event patterns by logical id, read as EventBridge reads them."""
    rules = of_type("AWS::Events::Rule")
    return {name: EventPattern.load(json.dumps(p["EventPattern"])) for name, p in rules.items() if "EventPattern" in p}


def manifest() -> dict[str, dict[str, Any]]:
    """What each sample event is: rule and parsed class."""
    return dict(yaml.safe_load((EVENTS / "manifest.yaml").read_text()))
