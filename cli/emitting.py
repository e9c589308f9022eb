"""Events for what people do in a sandbox with the AWS CLI: moto emits none, so changes are looked for and told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws import LocalAws, Place, envelopes

_OWN_PARAMETERS = "/registry-autopilot"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What there is: repositories with their tags of images, secrets and parameters with their current versions."""

    images: Mapping[str, frozenset[str]] = field(default_factory=dict)
    secrets: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    parameters: Mapping[str, int] = field(default_factory=dict)


class Emitter:
    """Puts the events that AWS would have emitted since the last look.

    What the sandbox's own hands do (`Activity`) puts its events itself; this is for a sandbox that people work on.
    """

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._place = Place(aws.account, aws.region)
        self._seen = self._look()

    def emit(self) -> int:
        """Look, and tell what is new; gives the number of events."""
        try:
            was, self._seen = self._seen, self._look()
        except ClientError:
            return 0  # something went away while it was looked at; the next look sees the rest
        events = list(self._changes(was, self._seen))
        for event in events:
            self._aws.put_event(event)
        return len(events)

    def _changes(self, was: _Seen, now: _Seen) -> Iterator[dict[str, Any]]:
        at = self._aws.clock.now()
        for name in now.images:
            if name not in was.images:
                yield envelopes.repository_created(self._place, name, {}, at)
            for tag in now.images[name] - was.images.get(name, frozenset()):
                yield envelopes.image_pushed(self._place, name, tag, at)
        for arn, (name, version) in now.secrets.items():
            if was.secrets.get(arn, ("", ""))[1] != version:
                yield envelopes.secret_label_updated(self._place, arn, name, version, at)
        yield from self._parameter_changes(was.parameters, now.parameters, at)

    def _parameter_changes(self, was: Mapping[str, int], now: Mapping[str, int], at: float) -> Iterator[dict[str, Any]]:
        for name, version in now.items():
            if was.get(name) != version:
                operation = "Update" if name in was else "Create"
                yield envelopes.parameter_changed(self._place, name, operation, at)
        for name in was.keys() - now.keys():
            yield envelopes.parameter_changed(self._place, name, "Delete", at)

    def _look(self) -> _Seen:
        return _Seen(dict(self._images()), dict(self._secrets()), dict(self._parameters()))

    def _images(self) -> Iterator[tuple[str, frozenset[str]]]:
        ecr = self._aws.client("ecr")
        for page in ecr.get_paginator("describe_repositories").paginate():
            for repository in page["repositories"]:
                name = repository["repositoryName"]
                listed = ecr.list_images(repositoryName=name)["imageIds"]
                yield name, frozenset(image["imageTag"] for image in listed if "imageTag" in image)

    def _secrets(self) -> Iterator[tuple[str, tuple[str, str]]]:
        for page in self._aws.client("secretsmanager").get_paginator("list_secrets").paginate():
            for secret in page["SecretList"]:
                versions = secret.get("SecretVersionsToStages", {}).items()
                current = next((version for version, stages in versions if "AWSCURRENT" in stages), "")
                yield secret["ARN"], (secret["Name"], current)

    def _parameters(self) -> Iterator[tuple[str, int]]:
        pages = self._aws.client("ssm").get_paginator("get_parameters_by_path")
        for page in pages.paginate(Path=_OWN_PARAMETERS, Recursive=True):
            for parameter in page["Parameters"]:
                yield parameter["Name"], parameter["Version"]
