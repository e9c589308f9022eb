"""Definitions and mode in SSM Parameter Store, read anew each time."""

from typing import TYPE_CHECKING

from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import Definition, parse_document
from registry_autopilot.ports import LoadedDefinitions, Mode

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


class ParameterStore:
    """Implements `Definitions`: one JSON document per parameter under a path; the leaf name is the definition's id."""

    def __init__(self, client: "SSMClient", path: str, mode_parameter: str) -> None:
        self._client = client
        self._path = path
        self._mode_parameter = mode_parameter

    def load(self) -> LoadedDefinitions:
        """Every definition, and the errors of those that cannot be used."""
        usable: list[Definition] = []
        broken: list[AutopilotError] = []
        pages = self._client.get_paginator("get_parameters_by_path")
        for page in pages.paginate(Path=self._path, Recursive=False, WithDecryption=True):
            for parameter in page["Parameters"]:
                try:
                    leaf = parameter["Name"].rpartition("/")[2]
                    usable.append(parse_document(parameter["Value"], definition_id=leaf))
                except AutopilotError as error:
                    broken.append(error)
        return LoadedDefinitions(tuple(usable), tuple(broken))

    def mode(self) -> Mode:
        """The mode; a missing or unknown value is `observe`, the one that writes nothing."""
        try:
            value = self._client.get_parameter(Name=self._mode_parameter)["Parameter"]["Value"]
        except self._client.exceptions.ParameterNotFound:
            return Mode.OBSERVE
        return Mode.ACT if value.strip().lower() == Mode.ACT else Mode.OBSERVE
