"""Readers of Amazon ECR's events: CloudTrail records of repository calls, and native events of images.

Sources: docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html and ecr-eventbridge.html.
Every place of an event that tells account, region or name must tell the same, or there is no trigger.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from registry_autopilot.event_envelope import (
    Envelope,
    Fields,
    NotForUsError,
    UnreadableError,
    refuse_failed,
    refuse_foreign_service,
    required_text,
    section,
    shown,
    text,
)
from registry_autopilot.event_types import ImagePushed, Origin, Repository, RepositoryCreated, RepositoryDeleted
from registry_autopilot.hosts import parse_ecr_host, partition_of_region

MAX_NAME: Final = 256
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"(?=.{{2,{MAX_NAME}}}\Z){_PART}(?:/{_PART})*")
_ARN = re.compile(
    r"arn:(?P<partition>[a-z-]+):ecr:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):repository/(?P<name>.+)"
)


def read_api_call(envelope: Envelope) -> RepositoryCreated | RepositoryDeleted:
    """A call that CloudTrail recorded: `AWS API Call via CloudTrail`.

    Raises:
        NotForUsError: another call, a failed one, or one on a repository elsewhere.
        UnreadableError: it returned no repository, or tells no usable repository name.
    """
    detail = _repository_call(envelope)
    response = section(detail, "responseElements")
    if response is None:
        raise NotForUsError("the call failed: it returned nothing")
    repository = section(response, "repository")
    if repository is None:
        raise UnreadableError("responseElements.repository is missing")
    return _repository_trigger(envelope, (repository, section(detail, "requestParameters")))


def read_service_event(envelope: Envelope) -> RepositoryCreated | RepositoryDeleted:
    """A repository that an AWS service made or removed: `AWS Service Event via CloudTrail`.

    Raises:
        NotForUsError: another event (lifecycle policies, above all), a failed one, or one elsewhere.
        UnreadableError: it tells no usable repository name.
    """
    detail = _repository_call(envelope)
    response = section(detail, "responseElements") or {}
    told = (
        section(detail, "serviceEventDetails"),
        section(response, "repository"),
        section(detail, "requestParameters"),
    )
    return _repository_trigger(envelope, told)


def read_image_action(envelope: Envelope) -> ImagePushed:
    """`ECR Image Action`: a push, a delete or a change of storage class.

    Raises:
        NotForUsError: no push, or a failed one.
        UnreadableError: it tells no usable repository name.
    """
    return _content(envelope, "push", {"action-type": "PUSH", "result": "SUCCESS"})


def read_pull_through_cache_action(envelope: Envelope) -> ImagePushed:
    """`ECR Pull Through Cache Action`: an image was cached, in a repository that may be new.

    Raises:
        NotForUsError: it failed, or happened elsewhere.
        UnreadableError: it tells no usable repository name.
    """
    return _content(envelope, "pull-through-cache", {"sync-status": "SUCCESS"})


def read_replication_action(envelope: Envelope) -> ImagePushed:
    """`ECR Replication Action`: an image was replicated, into a repository that may be new.

    Raises:
        NotForUsError: it failed, or its destination is elsewhere.
        UnreadableError: it tells no usable repository name.
    """
    return _content(envelope, "replication", {"action-type": "REPLICATE", "result": "SUCCESS"})


def _repository_call(envelope: Envelope) -> Fields:
    detail = envelope.detail
    refuse_foreign_service(detail, "ecr")
    event_name = required_text(detail, "eventName")
    if event_name not in {"CreateRepository", "DeleteRepository"}:
        raise NotForUsError(f"{shown(event_name)} neither creates nor deletes a repository")
    refuse_failed(detail)
    return detail


def _repository_trigger(envelope: Envelope, told: Iterable[Fields | None]) -> RepositoryCreated | RepositoryDeleted:
    origin = envelope.origin()
    repository = _repository(origin, [fields for fields in told if fields is not None])
    if origin.event_name == "DeleteRepository":
        return RepositoryDeleted(origin, repository)
    return RepositoryCreated(origin, repository, _tags(section(envelope.detail, "requestParameters") or {}))


def _content(
    envelope: Envelope, how: Literal["push", "pull-through-cache", "replication"], expected: Mapping[str, str]
) -> ImagePushed:
    detail = envelope.detail
    for key, wanted in expected.items():
        if (found := required_text(detail, key)) != wanted:
            raise NotForUsError(f"{key} is {shown(found)}, not {wanted}")
    origin = envelope.origin()
    names = [text(detail, "repository-name")]
    names += [_name_in_arn(origin, arn) for arn in envelope.resources if _ARN.fullmatch(arn)]
    return ImagePushed(origin, Repository(origin.account, origin.region, _agreed_name(names), uri=None), how)


def _repository(origin: Origin, told: list[Fields]) -> Repository:
    """The repository on which all places agree that tell of one."""
    for fields in told:
        if (registry := text(fields, "registryId")) not in {None, origin.account}:
            raise NotForUsError(f"registryId {shown(registry)} is not the event's own account {origin.account}")
    uris = sorted({uri for fields in told if (uri := text(fields, "repositoryUri"))})
    names = [name for fields in told for name in _names(origin, fields)]
    return Repository(origin.account, origin.region, _agreed_name(names), uris[0] if uris else None)


def _names(origin: Origin, fields: Fields) -> Iterator[str | None]:
    yield text(fields, "repositoryName")
    if arn := text(fields, "repositoryArn"):
        yield _name_in_arn(origin, arn)
    if uri := text(fields, "repositoryUri"):
        yield _name_in_uri(origin, uri)


def _name_in_arn(origin: Origin, arn: str) -> str:
    found = _ARN.fullmatch(arn)
    if found is None:
        raise UnreadableError(f"repositoryArn {shown(arn, 160)!r} is no ARN of an ECR repository")
    own = (partition_of_region(origin.region), origin.region, origin.account)
    if (found["partition"], found["region"], found["account"]) != own:
        raise NotForUsError(f"repository {shown(arn, 160)} is not of the event's own account and region")
    return found["name"]


def _name_in_uri(origin: Origin, uri: str) -> str:
    """The path of a `repositoryUri`; its host must be an ECR host of the event's own account and region."""
    authority, _, name = uri.partition("/")
    host = parse_ecr_host(authority)
    if host is None or (host.account, host.region) != (origin.account, origin.region):
        raise NotForUsError(f"endpoint {shown(authority)} is not of the event's own account and region")
    return name


def _agreed_name(told: Iterable[str | None]) -> str:
    names = sorted({name for name in told if name is not None})
    if not names:
        raise UnreadableError("the repository name is missing")
    if len(names) > 1:
        raise UnreadableError(f"the event tells different repository names: {', '.join(map(shown, names))}")
    if not _NAME.fullmatch(names[0]):
        raise UnreadableError(f"repository name {shown(names[0])!r} is none that ECR allows")
    return names[0]


def _tags(request: Fields) -> dict[str, str]:
    """The tags of a create call, in either letter case; what is no tag is left out: tags are read again from ECR."""
    listed = request.get("tags")
    tags = [tag for tag in listed if isinstance(tag, Mapping)] if isinstance(listed, list) else []
    pairs = ((tag.get("key", tag.get("Key")), tag.get("value", tag.get("Value"))) for tag in tags)
    return {key: value if isinstance(value, str) else "" for key, value in pairs if isinstance(key, str)}
