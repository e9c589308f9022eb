"""Secrets as people really write them, and where their credentials may go."""

import base64
import json
from typing import Any

import pytest
from pydantic import SecretStr

from registry_autopilot.causes import AutopilotError
from registry_autopilot.registry import CredentialKind
from registry_autopilot.secret_names import reference_names
from registry_autopilot.secret_values import SecretValue, check_destination, host_of, read_credential

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
HIDDEN = "hidden-word"


def _secret(value: Any) -> SecretValue:
    text = value if isinstance(value, str) else json.dumps(value)
    return SecretValue("arn:secret", "vertex/pull", "v1", SecretStr(text))


@pytest.mark.parametrize(
    "value",
    [
        {"access_key_id": "id", "secret_access_key": HIDDEN},
        {"accessKeyId": "id", "secretAccessKey": HIDDEN},
        {"AccessKeyId": "id", "SecretAccessKey": HIDDEN},
        {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": HIDDEN},
        {"accessKey": "id", "secretKey": HIDDEN},
        {"access-key-id": " id ", "secret-access-key": f"{HIDDEN}\n"},
    ],
)
def test_access_key_is_read_in_the_usual_spellings(value: dict[str, str]) -> None:
    """Case, `_` and `-` do not matter; outer white space is dropped."""
    values = read_credential(CredentialKind.ACCESS_KEY, _secret(value)).values
    assert values.access_key_id is not None
    assert values.secret_access_key is not None
    assert (values.access_key_id.get_secret_value(), values.secret_access_key.get_secret_value()) == ("id", HIDDEN)
    assert HIDDEN not in repr(values)


@pytest.mark.parametrize(
    "value",
    [
        {"username": "u", "password": HIDDEN},
        {"user": "u", "pass": HIDDEN},
        {"auths": {"harbor.example.gov": {"username": "u", "password": HIDDEN}}},
        {"auths": {"harbor.example.gov": {"auth": base64.b64encode(f"u:{HIDDEN}".encode()).decode()}}},
        {".dockerconfigjson": json.dumps({"auths": {"harbor.example.gov": {"username": "u", "password": HIDDEN}}})},
    ],
)
def test_password_is_read_in_the_usual_forms(value: dict[str, Any]) -> None:
    """Plain keys, or a dockerconfigjson that also names its host."""
    credential = read_credential(CredentialKind.USERNAME_PASSWORD, _secret(value))
    assert credential.values.username == "u"
    assert credential.values.password is not None
    assert credential.values.password.get_secret_value() == HIDDEN
    assert credential.host == ("harbor.example.gov" if "auth" in json.dumps(value) else None)


@pytest.mark.parametrize("value", [HIDDEN, f"{HIDDEN}\n", {"token": HIDDEN}, {"access_token": HIDDEN}])
def test_token_is_read_as_a_key_or_as_plain_text(value: Any) -> None:
    """A token is often the whole secret."""
    token = read_credential(CredentialKind.TOKEN, _secret(value)).values.token
    assert token is not None
    assert token.get_secret_value() == HIDDEN


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (CredentialKind.ACCESS_KEY, {"key": HIDDEN}),
        (CredentialKind.ACCESS_KEY, HIDDEN),
        (CredentialKind.ACCESS_KEY, [HIDDEN]),
        (CredentialKind.ACCESS_KEY, {"access_key_id": HIDDEN}),
        (CredentialKind.USERNAME_PASSWORD, {"username": HIDDEN}),
        (CredentialKind.USERNAME_PASSWORD, {"auths": {"a": {"auth": HIDDEN}, "b": {"auth": HIDDEN}}}),
        (CredentialKind.USERNAME_PASSWORD, {"auths": {"a": {"auth": HIDDEN}}}),
        (CredentialKind.TOKEN, {"other": HIDDEN}),
        (CredentialKind.TOKEN, f"{HIDDEN} and more"),
        (CredentialKind.TOKEN, ""),
    ],
)
def test_malformed_secret_is_told_by_its_keys_and_never_by_its_values(kind: CredentialKind, value: Any) -> None:
    """Names of keys found and of keys expected."""
    with pytest.raises(AutopilotError) as caught:
        read_credential(kind, _secret(value))
    assert caught.value.cause.slug == "secret-malformed"
    assert caught.value.subject == "secret:vertex/pull"
    assert "need" in caught.value.detail
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize(
    ("secret", "endpoint", "allowed_hosts", "allowed"),
    [
        ({"host": "harbor.example.gov"}, "https://harbor.example.gov/path", (), True),
        ({"endpoint": "https://harbor.example.gov:8443"}, "https://harbor.example.gov", (), False),
        ({"registry": "harbor.example.gov"}, "https://evil.example", ("evil.example",), False),
        ({"registry": ECR}, ECR.replace(".ecr.", ".ecr-fips."), (), True),
        ({}, ECR, (), True),
        ({}, ECR.replace("123456789012", "999999999999"), (), False),
        ({}, "https://harbor.example.gov", (), False),
        ({}, "https://harbor.example.gov", ("harbor.example.gov",), True),
        ({}, "https://harbor.example.gov:8443", ("harbor.example.gov",), False),
        ({}, f"{ECR}.evil.example", (), False),
        ({"host": "http://["}, "http://[", (), False),
    ],
)
def test_credential_goes_only_where_it_may(
    secret: dict[str, str], endpoint: str, allowed_hosts: tuple[str, ...], allowed: bool
) -> None:
    """A named host only; else ECR of matched accounts, or the stack's AllowedRegistryHosts."""
    value = {"username": "u", "password": HIDDEN, **secret}
    credential = read_credential(CredentialKind.USERNAME_PASSWORD, _secret(value))
    if allowed:
        check_destination(credential, endpoint, ecr_accounts=["123456789012"], allowed_hosts=allowed_hosts)
        return
    with pytest.raises(AutopilotError) as caught:
        check_destination(credential, endpoint, ecr_accounts=["123456789012"], allowed_hosts=allowed_hosts)
    assert caught.value.cause.slug == "endpoint-not-allowed"


@pytest.mark.parametrize(
    ("secret_id", "names"),
    [
        ("vertex/pull", ("vertex/pull",)),
        ("arn:aws:secretsmanager:r:1:secret:vertex/pull-AbCdEf", ("vertex/pull", "vertex/pull-AbCdEf")),
        ("arn:aws:secretsmanager:r:1:secret:vertex/pull", ("vertex/pull",)),
    ],
)
def test_secret_is_found_by_name_and_by_any_form_of_its_arn(secret_id: str, names: tuple[str, ...]) -> None:
    """The random suffix of a full ARN may also be the end of a name."""
    assert reference_names(secret_id) == names


def test_unreadable_endpoint_has_no_host() -> None:
    """What cannot be read equals nothing."""
    assert host_of("http://[") == ""
