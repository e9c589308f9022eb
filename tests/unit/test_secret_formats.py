"""Secrets as people really write them, and where their credentials may go."""

import base64
import json
from typing import Any

import pytest
from pydantic import SecretStr

from registry_autopilot.causes import AutopilotError
from registry_autopilot.destinations import check_destination, host_of
from registry_autopilot.registry import CredentialKind
from registry_autopilot.secret_names import reference_names
from registry_autopilot.secret_values import SecretValue, read_credential

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
HIDDEN = "hidden-word"
DOCKER = {"auths": {"harbor.example.gov": {"username": "u", "password": HIDDEN}}}


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
        {"Access key ID": "id", "Secret access key": HIDDEN},
        {"AccessKey": {"UserName": "u", "AccessKeyId": "id", "Status": "Active", "SecretAccessKey": HIDDEN}},
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
        {"auths": {"harbor.example.gov": {"auth": base64.b64encode(f"u:{HIDDEN}".encode()).decode().rstrip("=")}}},
        {".dockerconfigjson": json.dumps(DOCKER)},
        {".dockerconfigjson": DOCKER},
        {"dockerconfigjson": base64.b64encode(json.dumps(DOCKER).encode()).decode()},
    ],
)
def test_password_is_read_in_the_usual_forms(value: dict[str, Any]) -> None:
    """Plain keys, or a dockerconfigjson that also names its host."""
    credential = read_credential(CredentialKind.USERNAME_PASSWORD, _secret(value))
    assert credential.values.username == "u"
    assert credential.values.password is not None
    assert credential.values.password.get_secret_value() == HIDDEN
    assert credential.hosts == (
        ("harbor.example.gov",) if "auth" in json.dumps(value) or "docker" in json.dumps(value) else ()
    )


@pytest.mark.parametrize(
    "value",
    [
        HIDDEN,
        f"{HIDDEN}\n",
        json.dumps(HIDDEN),
        {"token": HIDDEN},
        {"access_token": f" {HIDDEN} "},
        {"auth_token": HIDDEN},
        {"apiToken": HIDDEN},
    ],
)
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
        (CredentialKind.TOKEN, {}),
        (CredentialKind.TOKEN, []),
        (CredentialKind.TOKEN, "null"),
        (CredentialKind.TOKEN, "true"),
        (CredentialKind.TOKEN, [HIDDEN]),
        (CredentialKind.TOKEN, f'{{"token": "{HIDDEN}"'),
        (CredentialKind.TOKEN, f"{HIDDEN}\ufffd"),
        (CredentialKind.TOKEN, {"token": f"{HIDDEN}\ud800"}),
        (CredentialKind.ACCESS_KEY, {"access_key_id": "id", "secret_access_key": f"{HIDDEN}\ud800"}),
        (CredentialKind.ACCESS_KEY, {"access_key_id": " ", "secret_access_key": HIDDEN}),
        (CredentialKind.ACCESS_KEY, {"access_key_id": 17, "secret_access_key": HIDDEN}),
        (CredentialKind.ACCESS_KEY, {"access_key_id": "i\nd", "secret_access_key": HIDDEN}),
        (CredentialKind.USERNAME_PASSWORD, {"username": "u", "password": "  "}),
        (CredentialKind.USERNAME_PASSWORD, {"username": "u", "password": f"{HIDDEN}\0"}),
        (CredentialKind.USERNAME_PASSWORD, {"username": "u", "password": HIDDEN, "host": ["harbor.example.gov"]}),
        (CredentialKind.USERNAME_PASSWORD, {"auths": {}}),
        (CredentialKind.USERNAME_PASSWORD, {".dockerconfigjson": HIDDEN}),
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
        ({"hostname": "harbor.example.gov"}, "https://evil.example", ("evil.example",), False),
        ({"server": "harbor.example.gov"}, "https://harbor.example.gov", (), True),
        ({"host": "harbor.example.gov", "registry": "other.example"}, "https://harbor.example.gov", (), False),
        ({"host": ""}, "https://harbor.example.gov", ("harbor.example.gov",), True),
    ],
)
def test_credential_goes_only_where_it_may(
    secret: dict[str, str], endpoint: str, allowed_hosts: tuple[str, ...], allowed: bool
) -> None:
    """A named host only; else ECR of matched accounts, or the stack's AllowedRegistryHosts."""
    value = {"username": "u", "password": HIDDEN, **secret}
    credential = read_credential(CredentialKind.USERNAME_PASSWORD, _secret(value))
    if allowed:
        check_destination(credential.hosts, endpoint, ecr_accounts=["123456789012"], allowed_hosts=allowed_hosts)
        return
    with pytest.raises(AutopilotError) as caught:
        check_destination(credential.hosts, endpoint, ecr_accounts=["123456789012"], allowed_hosts=allowed_hosts)
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


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (CredentialKind.ACCESS_KEY, {"access_key_id": 17, "secret_access_key": ""}, "access_key_id (not text)"),
        (CredentialKind.ACCESS_KEY, {"access_key_id": "id", "secret_access_key": ""}, "secret_access_key (empty)"),
        (CredentialKind.USERNAME_PASSWORD, {"auths": {"b": {}, "a": {}}}, "2 registries under auths (b, a)"),
        (CredentialKind.USERNAME_PASSWORD, {"auths": {"a": {"auth": "%"}}}, "nor a readable auth"),
        (CredentialKind.TOKEN, f"{HIDDEN} and more", "text with spaces in it"),
    ],
)
def test_words_say_what_is_wrong_with_the_secret(kind: CredentialKind, value: Any, words: str) -> None:
    """A key that is there and of no use is not told as if all were well."""
    with pytest.raises(AutopilotError) as caught:
        read_credential(kind, _secret(value))
    assert words in caught.value.detail
