"""Redaction: what is a secret or looks like one is gone, what names things stays, and no text is slow."""

import base64
import json
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_autopilot.redaction import MASK, redact, redact_mapping, register_secret

_B64 = string.ascii_letters + string.digits + "+/"
_JWT = "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiJzeXNhZG1pbiJ9" + ".c2lnbmF0dXJlLXBhcnQ"
_KEY_ID = "AKIA" + "Z" * 16
_SECRET_KEY = ("wJa1rXUtn" + "FEMI/K7MDENG" + "+bPxRfiCY" + "EXAMPLEKEY0")[:40]
_ECR_TOKEN = base64.b64encode(json.dumps({"payload": _B64 * 6, "version": "2"}).encode()).decode()
_PEM = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nMIIEow-line\nMORE\n-----END RSA PRIVATE KEY-----"
_BASIC = base64.b64encode(b"robot:Sw0rdf1sh").decode()

_LEAKS = {
    "jwt": (_JWT, _JWT),
    "jwt-in-a-path": (f"GET /v1/auth/refresh/{_JWT} 200", _JWT),
    "jwt-after-an-escaped-newline": (f"line\\n{_JWT}", _JWT),
    "access-key-id": (f"key {_KEY_ID} used", _KEY_ID),
    "access-key-id-after-an-escaped-newline": (f"line\\n{_KEY_ID}", _KEY_ID),
    "secret-access-key": (f"with {_SECRET_KEY} signed", _SECRET_KEY),
    "secret-access-key-after-a-colon": (f"AWS:{_SECRET_KEY}", _SECRET_KEY),
    "secret-access-key-after-an-escaped-newline": (f"line\\n{_SECRET_KEY}", _SECRET_KEY),
    "ecr-token": (f"token was {_ECR_TOKEN}", _ECR_TOKEN),
    "authorization": ("Authorization: s3cr3t-raw-value", "s3cr3t-raw-value"),
    "authorization-basic": (f"Authorization: Basic {_BASIC}", _BASIC),
    "bearer": ("sent Bearer abc123-def456", "abc123-def456"),
    "webhook": ("POST https://hooks.slack.com/services/T0/B0/xyz failed", "T0/B0/xyz"),
    "webhook-of-the-government-cloud": ("https://hooks.slack-gov.com/services/T0/B0/xyz", "T0/B0/xyz"),
    "webhook-in-escaped-json": (r'"https:\/\/hooks.slack.com\/services\/T0\/B0\/xyz"', "xyz"),
    "userinfo": ("https://robot:p@ss@harbor.example.gov/v2/", "robot:p@ss"),
    "json-password": ('{"password": "two words, a comma", "x": 1}', "comma"),
    "json-password-with-a-quote": (json.dumps({"password": 'se"cret tail'}), "tail"),
    "json-in-json": (json.dumps({"message": json.dumps({"password": 'in"ner tail'})}), "tail"),
    "python-repr": ("{'secretKey': 'abc def'}", "def"),
    "pair": ("password=hunter2 next", "hunter2"),
    "pair-with-a-comma": ("secret_access_key=a,b", "a,b"),
    "query-parameter": ("https://s3/x?X-Amz-Signature=0abc1&y=2", "0abc1"),
    "external-id": ('"externalId":"spectro-9f"', "spectro-9f"),
    "docker-auth": ('{"auths":{"h":{"auth":"Zm9vOmJhcg=="}}}', "Zm9vOmJhcg"),
    "private-key": (_PEM, "MIIEow"),
    "private-key-in-json": (json.dumps({"key": _PEM}), "MIIEow"),
    "private-key-cut-short": (_PEM[:60], "4,ENC"),
    "personal-access-token": ("with ghp_" + "a1B2" * 9, "a1B2a1B2"),
}

_NAMES = {
    "secret-arn": "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:vertex/ecr-pull-AbCdEf",
    "role-arn": "arn:aws:iam::123456789012:role/ARoleWithARatherLongCamelCaseName1234567890",
    "digest": "sha256:" + "0a1b" * 16,
    "commit": "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "fingerprint": "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
    "version-id": "123e4567-e89b-12d3-a456-426614174000",
    "ecr-host": "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
    "repository": "team-a/spectro-packs/archive/nginx-ingress-controller-with-a-long-name",
    "secret-name": '{"kind": "access-key", "secret": "vertex/ecr-pull"}',
    "path": "GET /v1/registries/oci/66f0c1d2e3a4b5c6d7e8f901/ecr/sync/status 200 audit-17",
    "words": "the basic registry harbor and Basic Authentication of a Bearer Token",
    "json-nothing": '{"token": null, "password": true}',
    "address": "https://vertex.example.gov/system?scope=system",
}


@pytest.mark.parametrize(("text", "secret"), _LEAKS.values(), ids=_LEAKS)
def test_secret_is_gone_when_it_looks_like_one(text: str, secret: str) -> None:
    """Every usual spelling of a secret is masked."""
    cleaned = redact(text)
    assert secret not in cleaned
    assert MASK in cleaned


@pytest.mark.parametrize("text", _NAMES.values(), ids=_NAMES)
def test_text_stays_when_it_only_names_things(text: str) -> None:
    """What a reader needs to find the thing concerned survives."""
    assert redact(text) == text


def test_log_line_stays_json_when_it_held_secrets() -> None:
    """A masked value keeps its quotes, and a bare one gets some."""
    line = json.dumps({"password": 'a"b', "token": 12, "pem": _PEM, "more": json.dumps({"secretKey": "x y"})})
    cleaned = json.loads(redact(line))
    assert cleaned["password"] == cleaned["token"] == cleaned["pem"] == MASK
    assert json.loads(cleaned["more"]) == {"secretKey": MASK}


@pytest.mark.parametrize("write", [str, json.dumps, lambda value: json.dumps(json.dumps(value))])
def test_registered_value_is_gone_when_written_as_json(write) -> None:  # type: ignore[no-untyped-def] # a lambda
    """A registered secret without any telling form around it is found, escaped or not."""
    value = 'corr"ect\\horse'
    register_secret(value)
    assert "horse" not in redact(f"it says {write(value)} here")


def test_members_are_gone_when_a_json_secret_is_registered() -> None:
    """The values of a secret count one by one, those that only say where and who do not."""
    register_secret(json.dumps({"username": "robot-one", "host": "harbor.example.gov", "password": "plain-canary"}))
    assert redact("robot-one at harbor.example.gov with plain-canary") == f"robot-one at harbor.example.gov with {MASK}"


def test_password_is_gone_when_a_docker_configuration_is_registered() -> None:
    """A dockerconfigjson nests JSON as text, and its password in base64."""
    auth = base64.b64encode(b"robot-two:nested-canary").decode()
    register_secret(json.dumps({".dockerconfigjson": json.dumps({"auths": {"h": {"auth": auth}}})}))
    assert redact(f"nested-canary {auth}") == f"{MASK} {MASK}"


def test_members_are_gone_when_a_registered_secret_holds_lists() -> None:
    """Any JSON counts; what says that it is base64 and is not does no harm."""
    register_secret(json.dumps({"tokens": ["first-canary", {"inner": "second-canary"}, 7], "auth": "not base64!"}))
    assert redact("first-canary second-canary not base64!") == f"{MASK} {MASK} {MASK}"


def test_words_stay_when_a_registered_value_is_too_short() -> None:
    """A value as short as a syllable would take half of every text away."""
    register_secret("abc")
    assert redact("abcdef") == "abcdef"


def test_newest_values_are_known_when_many_were_registered() -> None:
    """The memory for exact values is bounded, and keeps the newest."""
    for number in range(700):
        register_secret(f"canary-number-{number:04d}")
    assert redact("canary-number-0699") == MASK
    assert redact("canary-number-0000") == "canary-number-0000"


def test_mapping_is_masked_by_key_when_the_value_tells_nothing() -> None:
    """Under a telling key any text goes, at any depth; other values pass."""
    found = redact_mapping({"a": [{"password": "x", "n": 1}], "token": ["y"], "name": "z", "auth": {"type": "basic"}})
    assert found == {
        "a": [{"password": MASK, "n": 1}],
        "token": [MASK],
        "name": "z",
        "auth": {"type": "basic"},
    }


_PIECES = [
    *("eyJ", "eyJaaaaaaaaaaaa-", "password", "password=", 'password\\":\\"', 'password="', "password='", "token:\\\\'"),
    *("-----BEGIN PRIVATE KEY-----", "-----END ", "\\", '\\\\"', "://", "a://b@", "Basic ", "A" * 39 + " ", "Ab1"),
    *("https://hooks.", "https:\\/\\/hooks.a\\/", "arn:aws:", "AKIA", "secret_access_", "\n", "=", 'auth="\\'),
]


@pytest.mark.parametrize("piece", _PIECES)
def test_time_is_linear_when_the_text_is_hostile(piece: str) -> None:
    """200 KB of anything take no longer than a moment."""
    text = (piece * (200_000 // len(piece) + 1))[:200_000]
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 2


@given(
    st.text(alphabet=st.sampled_from("abXY019 \\\"',:={}[]\n-/@"), max_size=60), st.sampled_from(["password", "token"])
)
def test_value_is_gone_when_any_json_value_has_a_telling_key(value: str, key: str) -> None:
    """Whatever a password is made of, JSON of it, and JSON of that, are masked whole."""
    inner = json.dumps({key: f"<{value}", "after": "kept"})
    assert json.loads(redact(inner)) == {key: MASK, "after": "kept"}
    assert json.loads(json.loads(redact(json.dumps({"message": inner})))["message"]) == {key: MASK, "after": "kept"}


def test_password_is_gone_when_a_kubernetes_secret_is_registered() -> None:
    """There the Docker configuration is base64 itself, and `auth` in it may have lost its padding."""
    auth = base64.b64encode(b"robot-six:packed-canary").decode().rstrip("=")
    packed = base64.b64encode(json.dumps({"auths": {"h": {"auth": auth}}}).encode()).decode()
    register_secret(json.dumps({"dockerconfigjson": packed}))
    assert redact(f"packed-canary {auth}") == f"{MASK} {MASK}"


def test_secret_that_is_no_text_is_registered_all_the_same() -> None:
    """Half of a surrogate pair, as JSON can write it, must not stop the function that reads the secret."""
    register_secret('{"password": "broken-canary\\ud800"}')
    assert "broken-canary" not in redact("it says broken-canary\ud800 here")
