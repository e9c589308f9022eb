"""What the stand-in takes as a body and what not, over HTTP: every refusal names the field."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.stand_in import HOST, Site, basic_spec, ecr_body, ecr_spec, running


@pytest.fixture
def site() -> Iterator[Site]:
    with running() as site:
        yield site


@pytest.mark.parametrize("masked", [{"secretKey": "********"}, {"accessKey": "AK****"}])
def test_update_is_refused_when_it_sends_a_mask_back(site: Site, masked: dict[str, str]) -> None:
    """The real one would store the mask as the secret."""
    uid = site.create(ecr_body()).json()["uid"]
    before = site.vertex.registries()[0]
    body = ecr_body(credentials=ecr_spec()["credentials"] | masked)
    response = site.put(uid, body)
    assert (response.status_code, next(iter(masked)) in response.json()["message"]) == (400, True)
    assert site.vertex.registries()[0] == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"colour": "red"}, "spec.colour"),
        ({"credentials": {"accessKey": "a", "secretKey": "b", "rolle": "c"}}, "spec.credentials.rolle"),
        ({"endpoint": None}, "spec.endpoint"),
        ({"isPrivate": None}, "spec.isPrivate"),
        ({"isPrivate": "yes"}, "spec.isPrivate"),
        ({"providerType": "tar"}, "spec.providerType"),
        ({"providerType": "zarf"}, "zarf"),
        ({"endpoint": f"https://{HOST}"}, "https://"),
        ({"baseContentPath": None}, "baseContentPath"),
        ({"isSyncSupported": False}, "isSyncSupported"),
        ({"credentials": None}, "spec.credentials"),
        ({"credentials": {"credentialType": "secret", "accessKey": "a"}}, "secretKey"),
        ({"credentials": {"credentialType": "sts"}}, "sts.arn"),
        ({"credentials": {"credentialType": "pod-identity"}}, "podIdentity.roleArn"),
        ({"credentials": {"accessKey": "a", "secretKey": "b", "partition": "aws-cn"}}, "partition"),
        ({"tls": {"enabled": True, "certificate": "no PEM"}}, "certificate"),
    ],
)
def test_create_is_a_bad_request_when_a_field_is_wrong(site: Site, changes: dict[str, Any], named: str) -> None:
    """400 that names the field; nothing is stored."""
    response = site.create(ecr_body(**changes))
    assert response.status_code == 400
    assert named in response.json()["message"]
    assert site.vertex.registries() == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"spec"'])
def test_create_is_a_bad_request_when_the_body_is_no_object(site: Site, content: bytes) -> None:
    """Neither nothing, nor half a document, nor another kind of value."""
    response = site.http.post("/v1/registries/oci/ecr", content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (400, "ValidationFailed")


@pytest.mark.parametrize(
    ("auth", "named"),
    [
        ({"type": "digest"}, "auth.type"),
        ({"type": "token"}, "spec.auth.token"),
        ({"type": "basic", "username": "robot"}, "spec.auth.password"),
        ({"type": "basic", "username": "robot", "password": "p", "passwort": "p"}, "auth.passwort"),
        ({"type": "basic", "username": "robot", "password": "********"}, "password"),
        ({"type": "noAuth", "tls": {"enabled": "yes"}}, "auth.tls.enabled"),
    ],
)
def test_validate_is_a_bad_request_when_the_auth_is_wrong(site: Site, auth: dict[str, Any], named: str) -> None:
    """A basic registry has its credentials, and its TLS part, under `auth`."""
    response = site.validate(basic_spec("registry.invalid") | {"auth": auth})
    assert (response.status_code, named in response.json()["message"]) == (400, True)


def test_validate_is_a_bad_request_when_the_body_is_a_whole_object(site: Site) -> None:
    """It takes the spec alone, without metadata."""
    response = site.validate(ecr_body(), "ecr")
    assert (response.status_code, "in body" in response.json()["message"]) == (400, True)


def test_flag_in_the_query_is_a_bad_request_when_it_is_no_boolean(site: Site) -> None:
    """The API description says boolean."""
    assert site.create(ecr_body(), skipPackSync="1").status_code == 400
