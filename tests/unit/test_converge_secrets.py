"""What converge sends: credentials of every kind, secrets that forbid it, one bad secret behind many registries."""

from typing import Any

import pytest

from registry_autopilot.ports import Rules
from registry_autopilot.records import Outcome
from tests.support import events
from tests.support.installation import FAMILY, Installation, access_key
from tests.support.world import ACCOUNT

NAME = "team-a/spectro-packs/archive/nginx"
FIXED: dict[str, Any] = FAMILY | {"id": "fixed", "name": "wanted", "base_content_path": "team-a", "match": {}}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/pull"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def _rotate(site: Installation, word: str) -> list[Outcome]:
    version = site.pipeline.secrets.put("vertex/ecr-pull", access_key(word))
    return site.pipeline.deliver(events.secret_changed("vertex/ecr-pull", version, at=site.now))


def _redefine(site: Installation, document: dict[str, Any]) -> list[Outcome]:
    site.pipeline.definitions.documents = [document]
    parameter = f"/registry-autopilot/registries/{document['id']}"
    return site.pipeline.deliver(events.parameter_changed(parameter, at=site.now))


def _cause(site: Installation) -> str:
    return site.pipeline.sns.states[-1][1]


@pytest.mark.parametrize("pointer", ["literal", "secret"])
def test_role_and_external_id_are_sent_when_credentials_are_sts(pointer: str) -> None:
    """The external id is given as such, or kept in a secret."""
    external = "an-external-id" if pointer == "literal" else {"secret": "vertex/external-id"}
    definition = FIXED | {"credentials": {"kind": "sts", "role": ROLE, "external_id": external}}
    with Installation([definition]) as site:
        site.pipeline.secrets.put("vertex/external-id", "an-external-id")
        assert site.create(NAME) == [Outcome.REGISTERED]
        (stored,) = site.vertex.registries.values()
        credentials = stored["spec"]["credentials"]
        assert credentials["sts"] == {"arn": ROLE, "externalId": "an-external-id"}
        assert credentials["partition"] == "aws"
        uses = {s.use for state in site.pipeline.ledger.states.values() for s in state.secrets}
        assert uses == ({"external-id"} if pointer == "secret" else set())


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        ({"kind": "pod-identity", "role": ROLE}, {"credentialType": "pod-identity", "podIdentity": {"roleArn": ROLE}}),
        ({"kind": "none"}, {"credentialType": "secret"}),
    ],
)
def test_ecr_credentials_are_sent_as_their_kind_asks(credentials: dict[str, Any], expected: dict[str, Any]) -> None:
    """Pod identity and public registries."""
    with Installation([FIXED | {"credentials": credentials}]) as site:
        assert site.create(NAME) == [Outcome.REGISTERED]
        (stored,) = site.vertex.registries.values()
        assert stored["spec"]["credentials"] == expected | {"partition": "aws"}
        assert stored["spec"]["isPrivate"] is (credentials["kind"] != "none")


BASIC: dict[str, Any] = {
    "id": "harbor",
    "name": "harbor",
    "type": "basic",
    "provider": "zarf",
    "endpoint": "https://harbor.example.gov",
    "base_content_path": "platform",
}


def test_token_and_private_ca_are_sent_when_a_basic_registry_needs_them() -> None:
    """A token from a secret, a CA from another one."""
    document = BASIC | {"credentials": {"kind": "token", "secret": "oci/token"}, "tls": {"ca": "oci/ca"}}
    with Installation([document], rules=Rules(allowed_hosts=("harbor.example.gov",))) as site:
        site.pipeline.secrets.put("oci/token", "plain-" + "t" * 12)
        site.pipeline.secrets.put("oci/ca", PEM)
        assert _redefine(site, document) == [Outcome.REGISTERED]
        (stored,) = site.vertex.registries.values()
        assert stored["spec"]["auth"]["type"] == "token"
        assert stored["spec"]["auth"]["tls"]["certificate"] == PEM


@pytest.mark.parametrize(
    ("document", "cause"),
    [
        (BASIC | {"credentials": {"kind": "token", "secret": "oci/token"}}, "endpoint-not-allowed"),
        (BASIC | {"tls": {"ca": "oci/no-pem"}}, "secret-malformed"),
        (BASIC | {"tls": {"ca": "oci/missing"}}, "secret-unreadable"),
        (BASIC | {"tls": {"insecure_skip_verify": True}}, "definition-invalid"),
        (BASIC | {"credentials": {"kind": "username-password", "secret": "oci/token"}}, "secret-malformed"),
        (BASIC | {"credentials": {"kind": "token", "secret": "stack/own"}}, "secret-unreadable"),
    ],
)
def test_nothing_is_sent_when_a_secret_or_setting_forbids_it(document: dict[str, Any], cause: str) -> None:
    """Each refusal happens before any request to VerteX."""
    own = "arn:aws:secretsmanager:us-east-1:123456789012:secret:stack/own-AbCdEf"
    with Installation([document], rules=Rules(own_secrets=(own,))) as site:
        site.pipeline.secrets.put("oci/token", "plain-" + "t" * 12)
        site.pipeline.secrets.put("stack/own", "plain-" + "t" * 12)
        site.pipeline.secrets.put("oci/no-pem", "not a certificate")
        assert _redefine(site, document) == [Outcome.REFUSED]
        assert _cause(site) == cause
        assert site.calls() == []


def test_unreadable_secret_is_one_incident_when_it_stands_behind_many_registries() -> None:
    """One incident on the secret; its repair reaches every registry that heard of it."""
    with Installation([FAMILY]) as site:
        del site.pipeline.secrets.versions["vertex/ecr-pull"]
        site.create(*(f"team-{c}/spectro-packs/archive/nginx" for c in "abcd"))
        assert site.pipeline.sns.states == [("open", "secret-unreadable", "the secret vertex/ecr-pull")]
        assert _rotate(site, "one").count(Outcome.REGISTERED) == 4
        assert site.pipeline.sns.states[-1][0] == "resolved"
