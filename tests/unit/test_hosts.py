"""The grammar of ECR hosts in every partition, and the normal form of basic endpoints."""

import pytest

from registry_autopilot.hosts import (
    VERTEX_PARTITIONS,
    EcrHost,
    normalise_endpoint,
    parse_ecr_host,
    partition_of_region,
    render_ecr_host,
    with_form,
)

ACCOUNT = "123456789012"
PLAIN = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
TEMPLATE = "{{.spectro.system.aws.region}}"

HOSTS = [
    (PLAIN, "us-east-1", "aws", False, False),
    (f"{ACCOUNT}.dkr.ecr-fips.us-west-2.amazonaws.com", "us-west-2", "aws", True, False),
    (f"{ACCOUNT}.dkr-ecr.eu-central-1.on.aws", "eu-central-1", "aws", False, True),
    (f"{ACCOUNT}.dkr-ecr-fips.us-east-2.on.aws", "us-east-2", "aws", True, True),
    (f"{ACCOUNT}.dkr.ecr.us-gov-west-1.amazonaws.com", "us-gov-west-1", "aws-us-gov", False, False),
    (f"{ACCOUNT}.dkr.ecr-fips.us-gov-east-1.amazonaws.com", "us-gov-east-1", "aws-us-gov", True, False),
    (f"{ACCOUNT}.dkr-ecr-fips.us-gov-west-1.on.aws", "us-gov-west-1", "aws-us-gov", True, True),
    (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "aws-cn", False, False),
    (f"{ACCOUNT}.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn", "cn-northwest-1", "aws-cn", False, True),
    (f"{ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", "aws-iso", False, False),
    (f"{ACCOUNT}.dkr-ecr.us-iso-west-1.on.aws.ic.gov", "us-iso-west-1", "aws-iso", False, True),
    (f"{ACCOUNT}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", "aws-iso-b", False, False),
    (f"{ACCOUNT}.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1", "aws-iso-e", False, False),
    (f"{ACCOUNT}.dkr.ecr.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1", "aws-iso-f", False, False),
    (f"{ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", "aws-eusc", False, False),
]


@pytest.mark.parametrize(("host", "region", "partition", "fips", "dual_stack"), HOSTS)
def test_host_is_read_and_written_back_when_it_is_one_of_a_partition(
    host: str, region: str, partition: str, fips: bool, dual_stack: bool
) -> None:
    """Every documented form of every partition is read in full and renders to itself."""
    parsed = parse_ecr_host(host)
    assert parsed == EcrHost(ACCOUNT, region, partition, fips=fips, dual_stack=dual_stack)
    assert parsed.location == f"{partition}:{ACCOUNT}:{region}"
    assert render_ecr_host(parsed) == host


@pytest.mark.parametrize(
    "written",
    [
        f"https://{PLAIN}",
        f"http://{PLAIN}/",
        f"oci://{PLAIN}/team-a/spectro-packs",
        f"{PLAIN}:443/",
        PLAIN.upper(),
        f"HTTPS://{PLAIN.upper()}:443/Team-A",
        f"{PLAIN}/team-a/spectro-packs/archive/nginx",
    ],
)
def test_host_is_the_same_when_written_with_scheme_port_path_or_capitals(written: str) -> None:
    """Scheme, port 443, path, trailing slash and letter case do not change which registry it is."""
    assert parse_ecr_host(written) == parse_ecr_host(PLAIN)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "harbor.example.gov",
        "public.ecr.aws/team-a",
        f"{PLAIN}.evil.example",
        f"{PLAIN}:5000",
        f"{PLAIN}@evil.example",
        f"{PLAIN}?x=1",
        f"{PLAIN}/a?x=1",
        f"{PLAIN}/@evil.example",
        f"{PLAIN}#fragment",
        f"{PLAIN}\\.evil.example",
        f"{PLAIN}\n",
        f"{PLAIN}/team-a\n",
        f" {PLAIN}",
        f"user@{PLAIN}",
        f"evil.example/{PLAIN}",
        f"x{PLAIN}",
        f"0{PLAIN}",
        PLAIN[1:],
        PLAIN.replace("1", "\u0661", 1),
        PLAIN.replace("dkr", "d\u212ar"),  # the Kelvin sign lower-cases to `k`
        PLAIN.replace("amazonaws", "amazonaw\u017f"),
        f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com.cn",
        f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.us-iso-east-1.amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.us-gov-west-1.c2s.ic.gov",
        f"{ACCOUNT}.dkr.ecr.us-isoz-east-1.amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.us-east-1.on.aws",
        f"{ACCOUNT}.dkr-ecr.us-east-1.amazonaws.com",
        f"{ACCOUNT}.dkr-ecr.us-isob-east-1.sc2s.sgov.gov",
        f"{ACCOUNT}.dkr.ecr..amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.us-east-1",
    ],
)
def test_host_is_none_of_ecr_when_it_only_resembles_one(endpoint: str) -> None:
    """Look-alikes, foreign ports and suffixes of another partition are not ECR hosts."""
    assert parse_ecr_host(endpoint) is None


def test_region_template_is_filled_when_a_default_region_is_known() -> None:
    """An endpoint with VerteX's region template counts as the host in the registry's default region."""
    endpoint = f"https://{ACCOUNT}.dkr.ecr.{TEMPLATE}.amazonaws.com/"
    assert parse_ecr_host(endpoint, default_region="us-east-1") == parse_ecr_host(PLAIN)
    assert parse_ecr_host(endpoint) is None
    assert parse_ecr_host(endpoint, default_region="cn-north-1") is None
    assert parse_ecr_host(endpoint, default_region="us-east-1.amazonaws.com/\\1") is None


@pytest.mark.parametrize(
    ("form", "host"),
    [
        ("as-event", f"{ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com"),
        ("standard", PLAIN),
        ("fips", f"{ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com"),
        ("dual-stack", f"{ACCOUNT}.dkr-ecr.us-east-1.on.aws"),
        ("fips-dual-stack", f"{ACCOUNT}.dkr-ecr-fips.us-east-1.on.aws"),
    ],
)
def test_form_changes_the_host_but_not_the_registry_when_asked_for(form: str, host: str) -> None:
    """A definition's endpoint form picks the host name; the location stays."""
    fips = parse_ecr_host(f"{ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com")
    assert fips is not None
    assert render_ecr_host(with_form(fips, form)) == host
    assert with_form(fips, form).location == fips.location


@pytest.mark.parametrize(
    ("host", "form"),
    [
        (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn", "fips"),
        (f"{ACCOUNT}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "dual-stack"),
        (f"{ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov", "fips-dual-stack"),
        (f"{ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu", "fips"),
    ],
)
def test_form_is_refused_when_the_partition_has_no_such_hosts(host: str, form: str) -> None:
    """The error names form and partition, so that the definition can be corrected."""
    parsed = parse_ecr_host(host)
    assert parsed is not None
    with pytest.raises(ValueError, match=f"{form}.*{parsed.partition}"):
        with_form(parsed, form)


def test_form_is_refused_when_unknown() -> None:
    """A misspelt form is named together with the forms there are."""
    with pytest.raises(ValueError, match=r"'ipv6' is unknown; use one of as-event, standard"):
        with_form(EcrHost(ACCOUNT, "us-east-1", "aws", fips=False, dual_stack=False), "ipv6")


def test_rendering_is_refused_when_the_partition_has_no_dual_stack() -> None:
    """No host name is made up where none is documented."""
    with pytest.raises(ValueError, match="aws-iso-e"):
        render_ecr_host(EcrHost(ACCOUNT, "eu-isoe-west-1", "aws-iso-e", fips=False, dual_stack=True))


@pytest.mark.parametrize(("region", "partition"), sorted({(region, partition) for _, region, partition, *_ in HOSTS}))
def test_partition_is_known_when_the_region_is_one_of_aws(region: str, partition: str) -> None:
    """Regions tell their partition by their name."""
    assert partition_of_region(region) == partition


@pytest.mark.parametrize("region", ["", "global", "us-east-1\n", "US-EAST-1", "us-isoz-east-1", "us-east-\u0661"])
def test_partition_is_refused_when_the_region_is_none_of_aws(region: str) -> None:
    """What is no region has no partition, rather than the commercial one."""
    with pytest.raises(ValueError, match="none of any AWS partition"):
        partition_of_region(region)


def test_vertex_partitions_are_those_of_its_api_when_compared() -> None:
    """VerteX's enum has four partitions; China and the newer ISO ones are not among them."""
    assert {"aws", "aws-us-gov", "aws-iso", "aws-iso-b"} == VERTEX_PARTITIONS


@pytest.mark.parametrize(
    ("endpoint", "normal"),
    [
        ("https://Harbor.Example.gov", "harbor.example.gov"),
        ("harbor.example.gov/", "harbor.example.gov"),
        ("https://harbor.example.gov:443/Proj//sub/", "harbor.example.gov/Proj/sub"),
        ("oci://harbor.example.gov:443", "harbor.example.gov"),
        ("http://harbor.example.gov:80", "harbor.example.gov"),
        ("http://harbor.example.gov:443", "harbor.example.gov"),
        ("https://harbor.example.gov:80", "harbor.example.gov:80"),
        ("https://harbor.example.gov:5000", "harbor.example.gov:5000"),
        ("HARBOR:5000/x", "harbor:5000/x"),
        ("http://[2001:DB8::1]:5000/", "[2001:db8::1]:5000"),
        (f"https://{ACCOUNT}.dkr.ecr.{TEMPLATE}.amazonaws.com/", f"{ACCOUNT}.dkr.ecr.{TEMPLATE}.amazonaws.com"),
    ],
)
def test_endpoint_is_normalised_when_it_is_one(endpoint: str, normal: str) -> None:
    """Spellings of one endpoint have one normal form, which normalises to itself."""
    assert normalise_endpoint(endpoint) == normal
    assert normalise_endpoint(normal) == normal


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "https://",
        "https://h:port",
        "https://h:0",
        "https://h:99999",
        "https:/h",
        "ftp://harbor.example.gov",
        "https://[::1",
        "harbor.example.gov/a b",
        "harbor.example.gov\n",
        "härbor.example.gov",
        "a,b",
        "h/?page=1",
        "h/#top",
        "h\\x",
    ],
)
def test_endpoint_is_refused_when_it_cannot_be_one(endpoint: str) -> None:
    """What is no endpoint is named in the error, with what to write instead."""
    with pytest.raises(ValueError, match=r"^endpoint '.*'"):
        normalise_endpoint(endpoint)


@pytest.mark.parametrize(
    "template",
    [
        "https://robot:{0}@harbor.example.gov/x",
        "https://{0}@harbor.example.gov",
        "https://robot:{0}#1@harbor.example.gov",
        "https://robot:a/{0}@harbor.example.gov",
        "https://robot:{0} @harbor.example.gov",
        "https://harbor.example.gov/?token={0}",
        "https://harbor.example.gov/?token=a@{0}",
        "https://harbor.example.gov/#{0}",
    ],
)
def test_endpoint_error_hides_what_may_be_secret_when_refused(template: str) -> None:
    """A password or token in an endpoint never reaches the error's text."""
    canary = "can" + "ary"
    with pytest.raises(ValueError, match="endpoint") as refused:
        normalise_endpoint(template.format(canary))
    assert canary not in str(refused.value)
