"""Properties of the host grammar that hold for every host and for every text."""

import string

from hypothesis import given
from hypothesis import strategies as st

from registry_autopilot.hosts import EcrHost, normalise_endpoint, parse_ecr_host, partition_of_region, render_ecr_host

REGIONS = ["us-east-1", "ap-southeast-7", "us-gov-west-1", "cn-north-1", "us-iso-east-1", "us-isob-west-1"]
REGIONS += ["eu-isoe-west-1", "us-isof-south-1", "eusc-de-east-1"]
DUAL_STACK = {"aws", "aws-us-gov", "aws-cn", "aws-iso"}


@st.composite
def hosts(draw: st.DrawFn) -> EcrHost:
    """Any registry of any partition, in any form its grammar has."""
    region = draw(st.sampled_from(REGIONS))
    partition = partition_of_region(region)
    account = draw(st.text(string.digits, min_size=12, max_size=12))
    dual_stack = draw(st.booleans()) and partition in DUAL_STACK
    return EcrHost(account, region, partition, fips=draw(st.booleans()), dual_stack=dual_stack)


@given(hosts(), st.sampled_from(["{}", "https://{}/", "oci://{}:443/team-a/charts"]), st.booleans())
def test_host_is_read_back_when_rendered(host: EcrHost, spelling: str, upper: bool) -> None:
    """Whatever is rendered is read back as the same registry and form, in any spelling."""
    endpoint = spelling.format(render_ecr_host(host))
    assert parse_ecr_host(endpoint.upper() if upper else endpoint) == host


@given(hosts(), st.integers(0, 80), st.characters())
def test_host_never_becomes_another_when_one_character_is_put_in(host: EcrHost, at: int, character: str) -> None:
    """One stray character in a host either does no harm (letter case, a path) or makes it no ECR host."""
    rendered = render_ecr_host(host)
    at = min(at, len(rendered))
    parsed = parse_ecr_host(rendered[:at] + character + rendered[at:])
    assert parsed is None or parsed.account == host.account


@given(st.text() | st.from_regex(r"(https?://)?[0-9]{12}\.dkr.ecr[a-z.:/@?#-]*"), st.none() | st.text())
def test_reading_never_raises_when_given_any_text(endpoint: str, default_region: str | None) -> None:
    """Hostile text is no ECR host, or one that can be rendered."""
    parsed = parse_ecr_host(endpoint, default_region=default_region)
    assert parsed is None or parse_ecr_host(render_ecr_host(parsed)) == parsed


@given(
    st.text()
    | st.from_regex(r"(https?|oci)://[A-Za-z0-9.-]{1,20}(:(443|80|[0-9]{1,5}))?(/[A-Za-z0-9]*){0,3}", fullmatch=True)
)
def test_normal_form_is_its_own_when_normalised_again(endpoint: str) -> None:
    """Normalising is idempotent, and what cannot be normalised is refused with a ValueError only."""
    try:
        normal = normalise_endpoint(endpoint)
    except ValueError:
        return
    assert normalise_endpoint(normal) == normal
