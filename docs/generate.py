"""Writes the parts of the documentation that follow from code: `python docs/generate.py`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from registry_autopilot.definitions import json_schema

ROOT = Path(__file__).resolve().parent.parent
PARAMETERS = ROOT / "docs" / "parameters.md"
SCHEMA = ROOT / "docs" / "definition.schema.json"
_WRITTEN = {"ca": "CA", "ecr": "ECR", "slack": "Slack", "vertex": "VerteX", "vpc": "VPC"}


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as mappings: `!Ref X` as `{"Ref": "X"}`."""


def _short_form(loader: yaml.Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        return {suffix: loader.construct_sequence(node, deep=True)}
    return {suffix: loader.construct_scalar(node)}  # type: ignore[arg-type] # no short form takes a mapping


_Loader.add_multi_constructor("!", _short_form)


def parameters() -> str:
    """The page of the stack's parameters and permissions, from template.yaml."""
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    lines = [
        "# Parameters and permissions of the stack",
        "",
        "Generated from `template.yaml` by `docs/generate.py`.",
        "",
    ]
    known: dict[str, Any] = template["Parameters"]
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        lines += [f"## {group['Label']['default']}", "", "| parameter | default | meaning |", "|---|---|---|"]
        lines += [_row(name, known[name]) for name in group["Parameters"]]
        lines.append("")
    lines += ["## Permissions of the functions", "", "Each function has a role of its own; it holds nothing else.", ""]
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            lines += [*_permissions(name, resource["Properties"]), ""]
    return "\n".join(lines)


def _row(name: str, parameter: dict[str, Any]) -> str:
    default = parameter.get("Default")
    shown = "(required)" if default is None else f"`{default}`" if default != "" else "(empty)"
    allowed = parameter.get("AllowedValues")
    values = f" One of {', '.join(f'`{value}`' for value in allowed)}." if allowed else ""
    return f"| `{name}` | {shown} | {parameter['Description']}.{values} |".replace("..", ".")


def _permissions(role: str, properties: dict[str, Any]) -> Iterator[str]:
    """A table of a role's statements; those under a condition say which one."""
    yield from (f"### {role}", "", "| to | actions | on | where |", "|---|---|---|---|")
    for policy in properties["Policies"]:
        for entry in policy["PolicyDocument"]["Statement"]:
            condition, statement = (entry["If"][0], entry["If"][1]) if "If" in entry else ("", entry)
            actions = ", ".join(f"`{action}`" for action in _listed(statement["Action"]))
            resources = ", ".join(f"`{_named(resource)}`" for resource in _listed(statement["Resource"]))
            where = f"`{condition}`" if condition else "always"
            yield f"| {_sentence(statement['Sid'])} | {actions} | {resources} | {where} |"


def _sentence(sid: str) -> str:
    """The name of a statement as the sentence that it is."""
    words = re.findall(r"[A-Z][a-z]*", sid)
    return " ".join(_WRITTEN.get(word.lower(), word.lower()) for word in words)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _named(resource: Any) -> str:
    """A resource in a few words: its logical id, or its ARN without the partition and what is the stack's own."""
    if isinstance(resource, str):
        return resource
    ((form, content),) = resource.items()
    if form == "If":
        return _named(content[1])
    text = str(content).removesuffix(".Arn").removesuffix(".StreamArn")
    text = text.replace("${AWS::Region}:${AWS::AccountId}:", "").replace("arn:${AWS::Partition}:", "")
    return text.replace("${LedgerTable.Arn}", "LedgerTable")


if __name__ == "__main__":
    PARAMETERS.write_text(parameters())
    SCHEMA.write_text(json.dumps(json_schema(), indent=2) + "\n")
