"""What is read from VerteX and sent to it: tolerant one way, exact the other, and never a masked value."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from registry_autopilot.registry import CredentialKind, CredentialValues, Provider, RegistrySpec, RegistryType
from registry_autopilot.vertex.models import (
    StoredRegistry,
    SyncStatus,
    masked_copy,
    parse_metadata,
    parse_stored,
    parse_summary,
    spec_body,
    update_body,
)

_MASK = "********"
_ECR_HOST = "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com"
_NONE = CredentialValues(CredentialKind.NONE)
_KEY = CredentialValues(
    CredentialKind.ACCESS_KEY, access_key_id=SecretStr("new-id"), secret_access_key=SecretStr("new-key")
)
_STS = CredentialValues(CredentialKind.STS, role_arn="arn:aws:iam::1:role/r", external_id=SecretStr("ext"))
_POD = CredentialValues(CredentialKind.POD_IDENTITY, role_arn="arn:aws:iam::1:role/r")
_LOGIN = CredentialValues(CredentialKind.USERNAME_PASSWORD, username="u", password=SecretStr("p"))
_ECR_TOKEN = CredentialValues(CredentialKind.ECR_TOKEN, username="AWS", password=SecretStr("t"))
_TOKEN = CredentialValues(CredentialKind.TOKEN, token=SecretStr("t"))


def _ecr(credentials: CredentialValues, **more: Any) -> RegistrySpec:
    return RegistrySpec(
        RegistryType.ECR, Provider.PACK, _ECR_HOST, "team-a", True, credentials, partition="aws-us-gov", **more
    )


def _basic(credentials: CredentialValues, **more: Any) -> RegistrySpec:
    return RegistrySpec(
        RegistryType.BASIC, Provider.HELM, "https://harbor.example.gov", "platform", False, credentials, **more
    )


def _stored(type_: RegistryType = RegistryType.ECR, **spec: Any) -> StoredRegistry:
    content = {"endpoint": _ECR_HOST, "providerType": "pack", "baseContentPath": "team-a", "isSyncSupported": False}
    raw = {
        "kind": "ecr",
        "metadata": {"uid": "u1", "name": "n", "labels": {"by": "hand"}, "annotations": {"a": "b"}, "extra": 1},
        "spec": content | spec,
        "status": {"syncStatus": {"isSyncSupported": True, "status": "Completed", "message": "canary"}},
    }
    return parse_stored(type_, raw)


_AWS_BODIES: dict[str, tuple[CredentialValues, bool, dict[str, Any]]] = {
    "access-key": (_KEY, True, {"credentialType": "secret", "accessKey": "new-id", "secretKey": "new-key"}),
    "sts": (_STS, True, {"credentialType": "sts", "sts": {"arn": "arn:aws:iam::1:role/r", "externalId": "ext"}}),
    "pod-identity": (
        *(_POD, True),
        {"credentialType": "pod-identity", "podIdentity": {"roleArn": "arn:aws:iam::1:role/r"}},
    ),
    "none": (_NONE, False, {"credentialType": "secret"}),
}


@pytest.mark.parametrize(("credentials", "private", "body"), _AWS_BODIES.values(), ids=_AWS_BODIES)
def test_ecr_body_names_its_partition_when_credentials_are_of_any_kind(
    credentials: CredentialValues, private: bool, body: dict[str, Any]
) -> None:
    """The API's default partition is `aws`, so that it is said always; TLS lies beside the credentials."""
    assert spec_body(_ecr(credentials)) == {
        "endpoint": _ECR_HOST,
        "providerType": "pack",
        "baseContentPath": "team-a",
        "isSyncSupported": True,
        "containsSpectroManifest": False,
        "isPrivate": private,
        "credentials": {"partition": "aws-us-gov"} | body,
        "tls": {"enabled": True, "insecureSkipVerify": False},
    }


_AUTH_BODIES: dict[str, tuple[CredentialValues, dict[str, str]]] = {
    "none": (_NONE, {"type": "noAuth"}),
    "username-password": (_LOGIN, {"type": "basic", "username": "u", "password": "p"}),
    "ecr-token": (_ECR_TOKEN, {"type": "basic", "username": "AWS", "password": "t"}),
    "token": (_TOKEN, {"type": "token", "token": "t"}),
}


@pytest.mark.parametrize(("credentials", "auth"), _AUTH_BODIES.values(), ids=_AUTH_BODIES)
def test_basic_body_has_tls_under_auth_when_credentials_are_of_any_kind(
    credentials: CredentialValues, auth: dict[str, str]
) -> None:
    """Of a basic registry the TLS block lies inside `auth`, the PEM in `certificate`; no partition, no privacy."""
    assert spec_body(_basic(credentials, ca="PEM", insecure_skip_verify=True)) == {
        "endpoint": "https://harbor.example.gov",
        "providerType": "helm",
        "baseContentPath": "platform",
        "isSyncSupported": False,
        "containsSpectroManifest": False,
        "auth": auth | {"tls": {"enabled": True, "insecureSkipVerify": True, "certificate": "PEM"}},
    }


def test_update_keeps_what_the_definition_does_not_own_when_the_object_has_more() -> None:
    """Labels, default region, suffix and fields we have never heard of go back as they came; uid and status do not."""
    unowned = {"defaultRegion": "us-west-2", "basePath": "/suffix", "newField": {"x": [1]}, "scope": "system"}
    stored = _stored(**unowned, containsSpectroManifest=True, never=None)
    body = update_body(stored, _ecr(_KEY), keep_endpoint=True)
    assert body["metadata"] == {"name": "n", "labels": {"by": "hand"}, "annotations": {"a": "b"}}
    assert set(body) == {"metadata", "spec"}
    assert unowned.items() <= body["spec"].items()
    assert body["spec"]["containsSpectroManifest"] is True
    assert "never" not in body["spec"]


def test_update_takes_credentials_from_the_definition_when_the_stored_ones_are_masked() -> None:
    """Nothing of the stored credentials, privacy or TLS is sent back, not even parts."""
    old = {"credentialType": "secret", "accessKey": _MASK, "secretKey": _MASK, "policyARNs": ["x"]}
    stored = _stored(credentials=old, isPrivate=True, tls={"certificate": "old", "key": _MASK}, apiKey=_MASK)
    spec = update_body(stored, _ecr(_NONE), keep_endpoint=True)["spec"]
    assert spec["credentials"] == {"partition": "aws-us-gov", "credentialType": "secret"}
    assert (spec["isPrivate"], spec["tls"]) == (False, {"enabled": True, "insecureSkipVerify": False})
    assert _MASK not in json.dumps(spec)


def test_update_echoes_the_sync_flag_of_the_status_when_the_spec_says_otherwise() -> None:
    """The flag of the spec was unreliable; a change of it is refused or ignored by VerteX."""
    assert update_body(_stored(), _ecr(_KEY), keep_endpoint=True)["spec"]["isSyncSupported"] is True


def test_update_keeps_the_endpoint_as_read_when_it_is_the_same_registry() -> None:
    """A region template or another host form is left alone, and so is the base path's spelling."""
    template = "123456789012.dkr.ecr.{{.spectro.system.aws.region}}.amazonaws.com"
    stored = _stored(endpoint=template, baseContentPath="/team-a/")
    kept = update_body(stored, _ecr(_KEY), keep_endpoint=True)["spec"]
    moved = update_body(stored, _ecr(_KEY), keep_endpoint=False)["spec"]
    assert (kept["endpoint"], kept["baseContentPath"]) == (template, "/team-a/")
    assert (moved["endpoint"], moved["baseContentPath"]) == (_ECR_HOST, "team-a")


def test_history_holds_no_secret_when_an_adopted_object_is_kept() -> None:
    """What VerteX does not mask is taken out by us."""
    stored = _stored(
        credentials={"secretKey": "canary"},
        auth={"password": "canary"},
        tls={"certificate": "PEM", "key": "canary"},
        apiToken="canary",
    )
    copy = masked_copy(stored)
    assert "canary" not in json.dumps(copy)
    assert copy["spec"]["endpoint"] == _ECR_HOST
    assert copy["spec"]["tls"] == {"certificate": "PEM"}
    assert copy["metadata"]["labels"] == {"by": "hand"}


def test_nothing_secret_is_printed_when_an_object_is_logged() -> None:
    """The raw form stays out of repr."""
    assert "canary" not in repr(_stored(credentials={"secretKey": "canary"}))
    assert "new-key" not in repr(_ecr(_KEY))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("InProgress", "running"),
        ("RUNNING", "running"),
        ("syncing", "running"),
        ("Success", "succeeded"),
        ("completed", "succeeded"),
        ("Failed", "failed"),
        ("ERROR", "failed"),
        ("Pending", "pending"),
        ("Unknown", "pending"),
        ("", "pending"),
        (None, "pending"),
        ("Hibernating", "unknown"),
    ],
)
def test_sync_state_is_read_when_its_word_has_any_case(status: str | None, state: str) -> None:
    """The API's status has no enumeration."""
    assert SyncStatus.parse({"status": status, "lastRunTime": "t"}) == SyncStatus(state, "t")


def test_sync_state_is_unsupported_when_the_registry_does_not_sync() -> None:
    """Whatever its status says then."""
    assert SyncStatus.parse({"isSyncSupported": False, "status": "Failed"}).state == "unsupported"


def test_summary_is_read_when_types_are_written_in_capitals() -> None:
    """Type and provider in any case; unknown ones are none."""
    raw = {
        "metadata": {"uid": "u1", "name": "n", "lastModifiedTimestamp": "t1"},
        "spec": {"registryType": "ECR", "providerType": "Pack", "endpoint": "h", "defaultRegion": "r"},
        "status": {"syncStatus": {"status": "Completed"}},
    }
    found = parse_summary(raw)
    assert (found.type, found.provider, found.endpoint) == (RegistryType.ECR, Provider.PACK, "h")
    assert (found.default_region, found.last_modified, found.sync.state) == ("r", "t1", "succeeded")
    assert parse_summary({"spec": {"registryType": "git"}}).type is None


def test_metadata_is_read_when_the_item_is_complete() -> None:
    """Default registries are known by their flag."""
    found = parse_metadata({"uid": "u", "name": "n", "scope": "system", "isDefault": True, "kind": "oci"})
    assert (found.uid, found.name, found.scope, found.is_default, found.kind) == ("u", "n", "system", True, "oci")


def test_root_is_one_path_when_it_is_written_in_any_way() -> None:
    """No base path, an empty one and a slash are the root."""
    assert {_stored(baseContentPath=path).base_content_path for path in (None, "", "/", "//")} == {"/"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = (
    "uid",
    "name",
    "endpoint",
    "baseContentPath",
    "isSyncSupported",
    "providerType",
    "credentials",
    "tls",
    "auth",
)
_PART = _JSON | st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=5)


@given(_PART, _PART, _PART)
def test_parsing_never_fails_when_the_answer_is_garbage(metadata: object, spec: object, status: object) -> None:
    """Everything is optional, everything may be null or of another type; a PUT can still be built."""
    raw = {"metadata": metadata, "spec": spec, "status": {"syncStatus": status}}
    parse_metadata(metadata)
    parse_summary(raw)
    stored = parse_stored(RegistryType.BASIC, raw)
    body = update_body(stored, _basic(_LOGIN), keep_endpoint=False)
    assert body["spec"]["auth"]["password"] == "p"
    assert masked_copy(stored)["spec"].keys().isdisjoint({"credentials", "auth"})
