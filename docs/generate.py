"""Writes the parts of the documentation that follow from code: `python docs/generate.py`."""

import json
from pathlib import Path
from typing import Any

import yaml

from registry_autopilot.definitions import json_schema

ROOT = Path(__file__).resolve().parent.parent
PARAMETERS = ROOT / "docs" / "parameters.md"
SCHEMA = ROOT / "docs" / "definition.schema.json"


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as plain values; the parameters hold none."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def parameters() -> str:
    """The page of the stack's parameters and permissions, from template.yaml."""
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    lines = ["# Parameters of the stack", "", "Generated from `template.yaml` by `docs/generate.py`.", ""]
    known: dict[str, Any] = template["Parameters"]
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        lines += [f"## {group['Label']['default']}", "", "| parameter | default | meaning |", "|---|---|---|"]
        lines += [_row(name, known[name]) for name in group["Parameters"]]
        lines.append("")
    return "\n".join(lines)


def _row(name: str, parameter: dict[str, Any]) -> str:
    default = parameter.get("Default")
    shown = "(required)" if default is None else f"`{default}`" if default != "" else "(empty)"
    allowed = parameter.get("AllowedValues")
    values = f" One of {', '.join(f'`{value}`' for value in allowed)}." if allowed else ""
    return f"| `{name}` | {shown} | {parameter['Description']}.{values} |".replace("..", ".")


if __name__ == "__main__":
    PARAMETERS.write_text(parameters())
    SCHEMA.write_text(json.dumps(json_schema(), indent=2) + "\n")
