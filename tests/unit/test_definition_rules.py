"""Definitions: one invalid fixture per rule, and which one a repository touches."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_autopilot.causes import AutopilotError
from registry_autopilot.definitions import Definition, json_schema, parse_definition, parse_document
from registry_autopilot.matching import (
    Home,
    Place,
    derive_base_path,
    lead_of,
    leads,
    location_of,
    registry_name,
    wanted_endpoint,
    winner,
)
from registry_autopilot.registry import Identity, Provider, RegistryType

HOME = Home("123456789012", "us-east-1")
HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
FAMILY: dict[str, Any] = {"id": "d", "name": "n-{base}", "match": {"repositories": ["team-*"]}}
FIXED: dict[str, Any] = {"id": "d", "name": "n", "base_content_path": "team-a"}
BASIC: dict[str, Any] = FIXED | {"type": "basic", "provider": "helm", "endpoint": "https://harbor.example.gov"}
ROLE = "arn:aws-us-gov:iam::123456789012:role/pull"
HIDDEN = "hidden-word"


def _definition(**changes: Any) -> Definition:
    return parse_definition(FAMILY | changes, definition_id=changes.get("id", "d"))


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (FAMILY | {"colour": HIDDEN}, "colour: unknown key"),
        ({"id": "d", "base_content_path": "x"}, "name: Field required"),
        (FIXED | {"name": ""}, "name"),
        (FIXED | {"name": "{who}"}, "placeholders {account}, {region} and {base}"),
        (FIXED | {"name": "{base"}, "placeholders"),
        (FIXED | {"type": "s3"}, "type: 's3'"),
        (FIXED | {"provider": "tar"}, "provider: 'tar'"),
        (FIXED | {"provider": "zarf"}, "zarf goes with type basic only"),
        (FIXED | {"synchronize": False}, "synchronize: pack needs true"),
        ({"id": "d", "name": "n"}, "a family must name its repositories"),
        (FIXED | {"endpoint": "https://x.example"}, "endpoint: leave it out"),
        (BASIC | {"endpoint": None}, "endpoint: a basic registry needs one"),
        (BASIC | {"endpoint": "https://user:hidden-word@h.example"}, "endpoint"),
        (BASIC | {"endpoint_form": "fips"}, "endpoint_form: for type ecr only"),
        (BASIC | {"base_content_path": None, "match": {"repositories": ["*"]}}, "a basic registry outside ECR"),
        (FAMILY | {"match": {"repositories": ["*"], "role": "ecr-read"}}, "match.role: 'ecr-read'"),
        (FIXED | {"base_content_path": "a b"}, "must be one path"),
        (FIXED | {"base_content_path": "a,b"}, "must be one path"),
        (FIXED | {"credentials": {"kind": "password"}}, "credentials"),
        (FIXED | {"credentials": {"kind": "access-key"}}, "credentials"),
        (FIXED | {"credentials": {"kind": "access-key", "secret": "s", "secret_key": HIDDEN}}, "unknown key"),
        (FIXED | {"credentials": {"kind": "access-key", "secret": f"{HIDDEN} !"}}, "credentials"),
        (FIXED | {"credentials": {"kind": "token", "secret": "s"}}, "does not go with type ecr"),
        (BASIC | {"credentials": {"kind": "access-key", "secret": "s"}}, "does not go with type basic"),
        (BASIC | {"credentials": {"kind": "ecr-token", "role": ROLE}}, "sent to ECR hosts only"),
        (FIXED | {"credentials": {"kind": "sts", "role": "no-arn", "external_id": "ab"}}, "credentials"),
        (FIXED | {"match": {"accounts": ["12"]}}, "match.accounts.0: '12'"),
        (FIXED | {"match": {"regions": ["mars"]}}, "match.regions.0: 'mars'"),
        (FIXED | {"max_registries": 0}, "max_registries: '0'"),
        (FIXED | {"manage": "half"}, "manage: 'half'"),
        (FIXED | {"adopt": "steal"}, "adopt: 'steal'"),
        (FIXED | {"on_drift": "ignore"}, "on_drift: 'ignore'"),
        (FIXED | {"id": "other"}, "differs from the parameter's leaf name"),
        (["a list"], "must be one mapping"),
        ("a text", "must be one mapping"),
    ],
)
def test_broken_definition_is_told_by_field_value_and_remedy(document: Any, words: str) -> None:
    """Nothing under credentials, of an unknown key, or with an `@` is ever shown."""
    with pytest.raises(AutopilotError) as caught:
        parse_definition(document, definition_id="d")
    assert caught.value.cause.slug == "definition-invalid"
    assert caught.value.subject == "definition:d"
    assert words in caught.value.detail
    assert HIDDEN not in caught.value.detail


@pytest.mark.parametrize("text", ["", "{", "not json", "[" * 100_000])
def test_document_that_is_no_json_is_told(text: str) -> None:
    """Whatever stands in the parameter."""
    with pytest.raises(AutopilotError, match="is not JSON"):
        parse_document(text, definition_id="d")
    assert parse_document(json.dumps(FIXED), definition_id="d").base_content_path == "team-a"


def test_defaults_are_what_an_admin_expects() -> None:
    """Adopt follows the kind of definition; everything else is careful."""
    fixed = parse_definition(FIXED, definition_id="d")
    assert (fixed.adopts, fixed.is_family, fixed.manage, fixed.on_drift) == (True, False, "full", "report")
    assert (_definition().adopts, _definition().is_family, _definition().max_registries) == (False, True, 20)
    assert _definition(adopt="refresh").adopts


def test_every_secret_is_listed_by_its_use() -> None:
    """Credentials, CA and external id."""
    sts = {"kind": "sts", "role": ROLE, "external_id": {"secret": "ext"}}
    assert parse_definition(FIXED | {"credentials": sts, "tls": {"ca": "ca"}}, definition_id="d").secret_ids == (
        "ca",
        "ext",
    )
    pem = "-----BEGIN CERTIFICATE-----\nx"
    assert parse_definition(FIXED | {"tls": {"ca": pem}}, definition_id="d").tls.ca_pem == pem


def test_schema_in_docs_is_in_step() -> None:
    """`python docs/generate.py` writes docs/definition.schema.json."""
    page = Path(__file__).resolve().parents[2] / "docs" / "definition.schema.json"
    assert json.loads(page.read_text()) == json_schema()


@pytest.mark.parametrize(
    ("provider", "repository", "base"),
    [
        (Provider.PACK, "team-a/spectro-packs/archive/nginx", "team-a"),
        (Provider.PACK, "team-a/spectro-packs/archive", "team-a"),
        (Provider.PACK, "a/b/spectro-packs/archive/nginx", "a/b"),
        (Provider.PACK, "spectro-packs/archive/nginx", "/"),
        (Provider.PACK, "spectro-packs/spectro-packs/archive/nginx", "spectro-packs"),
        (Provider.PACK, "team-a/nginx", None),
        (Provider.PACK, "team-a/spectro-images/nginx", None),
        (Provider.PACK, "team-a/my-spectro-packs/archive/x", None),
        (Provider.HELM, "charts/ingress", "charts"),
        (Provider.HELM, "ingress", "/"),
        (Provider.ZARF, "a/b/c", "a/b"),
    ],
)
def test_base_path_is_derived_as_vertex_lays_content_out(provider: Provider, repository: str, base: str | None) -> None:
    """A registry that points at the leaf repository finds no pack."""
    assert derive_base_path(provider, repository) == base


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [
        ({"id": "a", "match": {"repositories": ["*"]}}, {"id": "b"}, "b"),
        ({"id": "a"}, {"id": "b", "base_content_path": "team-a", "match": {}}, "b"),
        ({"id": "a", "match": {"repositories": ["team-a/*"]}}, {"id": "b"}, "a"),
    ],
)
def test_closer_definition_wins(first: dict[str, Any], second: dict[str, Any], wins: str) -> None:
    """Fixed before family, then the longer literal prefix; each other definition gives way."""
    definitions = [_definition(**first), _definition(**second)]
    place = Place(HOST, "team-a/spectro-packs/archive/nginx")
    (lead,) = leads(definitions, place, HOME)
    assert lead.definition.id == wins
    chosen = winner(reversed(definitions), place, HOME, lead.identity)
    assert chosen is not None
    assert chosen.definition.id == wins


def test_tie_is_refused_by_both_names() -> None:
    """Neither of two equally close definitions is guessed."""
    definitions = [_definition(id="one"), _definition(id="two")]
    place = Place(HOST, "team-a/spectro-packs/archive/nginx")
    (lead,) = leads(definitions, place, HOME)
    with pytest.raises(AutopilotError, match="one, two"):
        winner(definitions, place, HOME, lead.identity)
    assert winner([], place, HOME, lead.identity) is None


@pytest.mark.parametrize(
    ("changes", "endpoint", "repository"),
    [
        ({}, "999999999999.dkr.ecr.us-east-1.amazonaws.com", "team-a/spectro-packs/archive/x"),
        ({}, "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "team-a/spectro-packs/archive/x"),
        ({}, "harbor.example.gov", "team-a/spectro-packs/archive/x"),
        ({}, HOST, "other/spectro-packs/archive/x"),
        ({}, HOST, None),
        ({"base_content_path": "team-b", "match": {}}, HOST, "team-a/spectro-packs/archive/x"),
        ({"base_content_path": "charts", "provider": "helm", "match": {}}, HOST, "charts-b/x"),
    ],
)
def test_definition_does_not_count_what_is_not_its_own(
    changes: dict[str, Any], endpoint: str, repository: str | None
) -> None:
    """Other accounts and regions, other paths, other hosts."""
    assert lead_of(_definition(**changes), Place(endpoint, repository), HOME) is None


def test_basic_definition_counts_ecr_repositories_when_its_endpoint_is_that_registry() -> None:
    """A basic registry over ECR is touched by its repositories' events; Harbor only by its definition."""
    on_ecr = parse_definition(BASIC | {"endpoint": f"https://{HOST}"}, definition_id="d")
    assert lead_of(on_ecr, Place(HOST, "team-a/chart"), HOME) is not None
    harbor = parse_definition(BASIC, definition_id="d")
    assert lead_of(harbor, Place(HOST, "team-a/chart"), HOME) is None
    assert lead_of(harbor, Place("HTTPS://Harbor.example.gov:443/", None), HOME) is not None
    assert wanted_endpoint(harbor, Place("x", None)) == "https://harbor.example.gov"


@pytest.mark.parametrize(
    ("form", "host"),
    [
        ("as-event", HOST),
        ("fips", "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com"),
        ("dual-stack", "123456789012.dkr-ecr.us-east-1.on.aws"),
        ("fips-dual-stack", "123456789012.dkr-ecr-fips.us-east-1.on.aws"),
    ],
)
def test_endpoint_takes_the_form_that_is_asked_for_and_stays_one_identity(form: str, host: str) -> None:
    """Plain, FIPS and dual-stack hosts are one registry."""
    definition = _definition(endpoint_form=form)
    assert wanted_endpoint(definition, Place(HOST, "x")) == host
    assert location_of(RegistryType.ECR, host) == location_of(RegistryType.ECR, f"https://{HOST.upper()}/")


@pytest.mark.parametrize(
    ("host", "form"),
    [
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "as-event"),
        ("123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "dual-stack"),
    ],
)
def test_endpoint_that_cannot_be_is_refused(host: str, form: str) -> None:
    """A partition that VerteX does not know, a form that the partition does not have."""
    with pytest.raises(AutopilotError, match="definition-invalid"):
        wanted_endpoint(_definition(endpoint_form=form), Place(host, "x"))


def test_name_is_rendered_without_slashes() -> None:
    """The root is `root`; a basic registry over ECR knows its account and region, too."""
    definition = _definition(name="{account}-{region}-{base}")
    identity = Identity(RegistryType.ECR, Provider.PACK, "aws:123456789012:us-east-1", "a/b")
    assert registry_name(definition, identity) == "123456789012-us-east-1-a-b"
    root = Identity(RegistryType.BASIC, Provider.HELM, HOST, "/")
    assert registry_name(definition, root) == "123456789012-us-east-1-root"


_part = st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True)


@given(st.lists(_part, max_size=3), _part)
def test_pack_in_vertex_layout_always_leads_back_to_its_base(base: list[str], pack: str) -> None:
    """derive_base_path undoes the layout."""
    path = "/".join(base)
    repository = "/".join([*base, "spectro-packs", "archive", pack])
    assert derive_base_path(Provider.PACK, repository) == (path or "/")
