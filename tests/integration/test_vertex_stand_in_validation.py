"""Validate really tries: basic registries by the registry protocol, ECR credentials against the sandbox's AWS."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.aws import LocalAws, Seeds
from sandbox.aws.seeds import seed_identities
from sandbox.clock import SandboxClock
from sandbox.vertex import AwsIdentity
from tests.support.oci import PrivateCa, make_ca
from tests.support.stand_in import HOST, Site, basic_spec, ecr_spec, running, tiny_registry

RIGHT = {"type": "basic", "username": "robot", "password": "right"}
WRONG = RIGHT | {"password": "wrong"}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running() as site:
        yield site


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    folder: Path = tmp_path_factory.mktemp("ca")
    return make_ca(folder)


def code_of(site: Site, spec: dict[str, Any], type_: str = "basic") -> str:
    """The body code; empty when it was taken."""
    response = site.validate(spec, type_)
    assert response.status_code in {204, 500}
    return str(response.json()["code"]) if response.status_code == 500 else ""


@pytest.mark.parametrize("challenge", ["Basic", "Bearer"])
@pytest.mark.parametrize(
    ("auth", "code"),
    [(RIGHT, ""), (WRONG, "InvalidRegistryCredentials"), ({"type": "noAuth"}, "InvalidRegistryCredentials")],
)
def test_password_is_tried_when_the_registry_challenges(
    site: Site, challenge: str, auth: dict[str, str], code: str
) -> None:
    """With `Basic`, and by way of the token service that `Bearer` names."""
    with tiny_registry(challenge) as url:
        assert code_of(site, basic_spec(url, **auth)) == code


@pytest.mark.parametrize(("token", "code"), [("given", ""), ("stolen", "InvalidRegistryCredentials")])
def test_token_is_tried_when_the_type_is_token(site: Site, token: str, code: str) -> None:
    """It is sent as it is."""
    with tiny_registry("Bearer") as url:
        assert code_of(site, basic_spec(url, type="token", token=token)) == code


def test_open_registry_is_taken_when_there_is_no_auth(site: Site) -> None:
    """An empty pair of username and password means the same."""
    with tiny_registry("none") as url:
        assert code_of(site, basic_spec(url)) == ""
        assert code_of(site, basic_spec(url, type="basic", username="", password="")) == ""


@pytest.mark.parametrize(
    ("suffix", "code"),
    [("suffix", ""), ("absent", "RegistryEndpointUnreachable"), ("sick", "RegistryEndpointUnreachable")],
)
def test_endpoint_suffix_is_appended_when_given(site: Site, suffix: str, code: str) -> None:
    """`basePath` stands between endpoint and `/v2/`; what is no registry there is told apart from a bad password."""
    with tiny_registry() as url:
        assert code_of(site, basic_spec(url, **RIGHT) | {"basePath": suffix}) == code


def test_certificate_decides_when_the_ca_is_private(site: Site, ca: PrivateCa) -> None:
    """Unknown: unreachable, with x509 in the words; given, or verification skipped: taken."""
    with tiny_registry(ca=ca) as url:
        unknown = site.validate(basic_spec(url, **RIGHT)).json()
        assert unknown["code"].endswith("Unreachable")
        assert "x509" in unknown["message"]
        assert code_of(site, basic_spec(url, tls={"certificate": ca.ca_pem}, **RIGHT)) == ""
        assert code_of(site, basic_spec(url, tls={"insecureSkipVerify": True}, **RIGHT)) == ""
        assert code_of(site, basic_spec(url, tls={"insecureSkipVerify": True}, **WRONG)) == "InvalidRegistryCredentials"


def test_name_is_looked_up_when_the_endpoint_has_no_scheme(site: Site) -> None:
    """It means https; a name that does not exist is unreachable, in the words of DNS."""
    answer = site.validate(basic_spec("registry.invalid")).json()
    assert answer["code"].endswith("Unreachable")
    assert "https://registry.invalid/v2/" in answer["message"]
    assert "no such host" in answer["message"]


def test_silence_is_a_timeout_when_the_registry_never_answers(site: Site) -> None:
    """The try ends after the set time."""
    site.vertex.behaviour.validation_timeout_seconds = 0.3
    with socket.create_server(("127.0.0.1", 0)) as silent:
        code = code_of(site, basic_spec(f"http://127.0.0.1:{silent.getsockname()[1]}"))
    site.vertex.behaviour.validation_timeout_seconds = 10
    assert code.endswith("Timeout")


def test_message_echoes_what_was_sent_when_credentials_are_refused(site: Site) -> None:
    """As servers have been seen to do: so that redaction is tested by something."""
    with tiny_registry() as url:
        assert "wrong" in site.validate(basic_spec(url, **WRONG)).json()["message"]


@pytest.mark.parametrize("host", ["example.gov", HOST.replace("us-east-1", "cn-north-1") + ".cn"])
def test_ecr_is_unreachable_when_the_host_is_not_one_of_its_hosts(site: Site, host: str) -> None:
    """VerteX has no partition for China either."""
    assert code_of(site, ecr_spec(endpoint=host), "ecr").endswith("Unreachable")


def test_ecr_is_unreachable_when_there_is_no_route_to_aws(site: Site) -> None:
    """A stand-in without an AWS behind it accepts no key."""
    assert code_of(site, ecr_spec(), "ecr").endswith("Unreachable")


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws(SandboxClock()) as aws:
        yield aws


@pytest.fixture(scope="module")
def seeds(aws: LocalAws) -> Seeds:
    return seed_identities(aws)


@pytest.fixture(scope="module")
def with_aws(aws: LocalAws, seeds: Seeds) -> Iterator[Site]:
    identity = AwsIdentity(seeds.vertex.access_key_id, seeds.vertex.secret_access_key)
    with running(aws_endpoint=aws.endpoint_url, aws_identity=identity) as site:
        yield site


@pytest.mark.parametrize(
    ("change", "host", "told"),
    [
        ({}, HOST, ""),
        ({}, HOST.replace("dkr.ecr", "dkr.ecr-fips"), ""),
        ({}, "123456789012.dkr-ecr.us-east-1.on.aws", ""),
        ({"secretKey": "wrong"}, HOST, "InvalidSignatureException"),
        ({"accessKey": "unknown"}, HOST, "UnrecognizedClientException"),
        ({"partition": "aws-us-gov"}, HOST, "partition"),
        ({}, HOST.replace("us-east-1", "us-gov-west-1"), "partition"),
    ],
)
def test_access_key_is_tried_against_aws_when_it_is_validated(
    with_aws: Site, seeds: Seeds, change: dict[str, str], host: str, told: str
) -> None:
    """By GetAuthorizationToken and DescribeRepositories in the region and partition of the host."""
    pair = {"accessKey": seeds.pull_key.access_key_id, "secretKey": seeds.pull_key.secret_access_key}
    response = with_aws.validate(ecr_spec(endpoint=host, credentials=pair | change), "ecr")
    assert response.status_code == (500 if told else 204)
    if told:
        assert response.json()["code"] == "InvalidRegistryCredentials"
        assert told in response.json()["message"]


def test_access_key_is_refused_when_it_lacks_the_permission(with_aws: Site, seeds: Seeds) -> None:
    """The stand-in's own identity may assume a role, but not read ECR."""
    pair = {"accessKey": seeds.vertex.access_key_id, "secretKey": seeds.vertex.secret_access_key}
    answer = with_aws.validate(ecr_spec(credentials=pair), "ecr").json()
    assert (answer["code"], "AccessDenied" in answer["message"]) == ("InvalidRegistryCredentials", True)


@pytest.mark.parametrize(("external_id", "refused"), [("sandbox", False), ("another", True), (None, True)])
def test_role_is_assumed_when_the_credentials_are_sts(
    with_aws: Site, seeds: Seeds, external_id: str | None, *, refused: bool
) -> None:
    """By the stand-in's own identity, with the external id of the spec."""
    sts = {"arn": seeds.role_arn} | ({"externalId": external_id} if external_id else {})
    response = with_aws.validate(ecr_spec(credentials={"credentialType": "sts", "sts": sts}), "ecr")
    assert response.status_code == (500 if refused else 204)
    assert not refused or "AssumeRole" in response.json()["message"]


def test_sts_account_is_told_when_the_installation_has_one(with_aws: Site) -> None:
    """What a role's trust policy has to name."""
    answer = with_aws.http.get("/v1/clouds/aws/account/sts").json()
    assert answer == {"accountId": "123456789012", "externalId": "sandbox", "partition": "aws"}
