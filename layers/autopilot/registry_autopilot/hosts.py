"""Registry hosts: the one grammar of Amazon ECR hosts in every partition, and the normal form of other endpoints.

Suffixes and host forms are those of the AWS General Reference, "Amazon ECR endpoints and quotas"
(docs.aws.amazon.com/general/latest/gr/ecr.html), and of the partition data in botocore. Pure.
"""

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import SplitResult, urlsplit

VERTEX_PARTITIONS: Final = frozenset({"aws", "aws-us-gov", "aws-iso", "aws-iso-b"})
"""Partitions that VerteX can name in an ECR registry (Swagger `v1AwsCloudAccount.partition`)."""


@dataclass(frozen=True, slots=True)
class _Partition:
    """What the ECR hosts of a partition look like.

    Attributes:
        regions: pattern of its region names.
        suffix: DNS suffix of the plain and the FIPS form.
        dual_stack: DNS suffix of the dual-stack forms; None where no such form is documented.
        fips: whether FIPS hosts are documented. Only asking for one depends on it: reading stays tolerant.
    """

    regions: str
    suffix: str
    dual_stack: str | None = None
    fips: bool = False


_PARTITIONS: Final = {
    "aws": _Partition(r"(?!cn-)[a-z]{2}-[a-z]+-\d+", "amazonaws.com", "on.aws", fips=True),
    "aws-us-gov": _Partition(r"us-gov-[a-z]+-\d+", "amazonaws.com", "on.aws", fips=True),
    "aws-cn": _Partition(r"cn-[a-z]+-\d+", "amazonaws.com.cn", "on.amazonwebservices.com.cn"),
    "aws-iso": _Partition(r"us-iso-[a-z]+-\d+", "c2s.ic.gov", "on.aws.ic.gov"),
    "aws-iso-b": _Partition(r"us-isob-[a-z]+-\d+", "sc2s.sgov.gov"),
    "aws-iso-e": _Partition(r"eu-isoe-[a-z]+-\d+", "cloud.adc-e.uk"),
    "aws-iso-f": _Partition(r"(?:us|eu)-isof-[a-z]+-\d+", "csp.hci.ic.gov"),
    "aws-eusc": _Partition(r"eusc-[a-z]+-[a-z]+-\d+", "amazonaws.eu"),
}

_FORMS: Final = {
    "standard": (False, False),
    "fips": (True, False),
    "dual-stack": (False, True),
    "fips-dual-stack": (True, True),
}
"""Host forms of a definition's `endpoint_form`, as (fips, dual_stack)."""

_REGION_TEMPLATE = re.compile(r"\{\{ *\.spectro\.system\.aws\.region *\}\}", re.ASCII | re.IGNORECASE)
_ENDPOINT = re.compile(
    r"(?:(?:https?|oci)://)?"
    r"(?P<account>\d{12})\.dkr(?P<joint>[.-])ecr(?P<fips>-fips)?\.(?P<region>[a-z]+(?:-[a-z]+)+-\d+)\.(?P<suffix>[a-z0-9.-]+)"
    r"(?::443)?(?:/(?![!-~]*[?#@\\])[!-~]*)?",
    re.ASCII | re.IGNORECASE,
)
_HOST_NAME = re.compile(r"[a-z0-9._:{}-]+")  # braces: VerteX's region template; colons: an IPv6 address
_DEFAULT_PORTS: Final = {"https": {443}, "oci": {443}, "http": {80, 443}}
"""Ports that go per scheme; 443 always, because the normal form has no scheme and is then read as https."""


@dataclass(frozen=True, slots=True)
class EcrHost:
    """One private ECR registry (an account in a region), in one form of its host name."""

    account: str
    region: str
    partition: str
    fips: bool
    dual_stack: bool

    @property
    def location(self) -> str:
        """`partition:account:region`: what all host forms of the registry have in common."""
        return f"{self.partition}:{self.account}:{self.region}"


def parse_ecr_host(endpoint: str, *, default_region: str | None = None) -> EcrHost | None:
    """Read the ECR registry that an endpoint names, or None when it names anything else.

    Scheme, port 443, path, trailing slash and letter case do not matter. VerteX's region template
    `{{.spectro.system.aws.region}}` stands for `default_region`; without one such an endpoint cannot be read.
    A suffix that does not belong to the partition of the region makes it no ECR host, whatever it resembles.
    """
    if default_region is not None:
        endpoint = _REGION_TEMPLATE.sub(lambda _: default_region, endpoint)
    found = _ENDPOINT.fullmatch(endpoint)
    if found is None:
        return None
    dual_stack, region = found["joint"] == "-", found["region"].lower()
    partition = _partition_or_none(region)
    if partition is None or _suffix(partition, dual_stack=dual_stack) != found["suffix"].lower():
        return None
    return EcrHost(found["account"], region, partition, fips=found["fips"] is not None, dual_stack=dual_stack)


def render_ecr_host(host: EcrHost) -> str:
    """The host name, without scheme or path.

    Raises:
        ValueError: the partition has no host of this form.
    """
    suffix = _suffix(host.partition, dual_stack=host.dual_stack)
    if suffix is None:
        raise _no_such_form("dual-stack", host)
    service = f"dkr{'-' if host.dual_stack else '.'}ecr{'-fips' if host.fips else ''}"
    return f"{host.account}.{service}.{host.region}.{suffix}"


def with_form(host: EcrHost, form: str) -> EcrHost:
    """The same registry under another form of its host name.

    Args:
        host: the registry.
        form: `as-event` (unchanged), `standard`, `fips`, `dual-stack` or `fips-dual-stack`.

    Raises:
        ValueError: the form is unknown, or the partition of the host has none such.
    """
    if form == "as-event":
        return host
    if form not in _FORMS:
        raise ValueError(f"endpoint form {form!r} is unknown; use one of as-event, {', '.join(_FORMS)}")
    fips, dual_stack = _FORMS[form]
    known = _PARTITIONS[host.partition]
    if (fips and not known.fips) or (dual_stack and known.dual_stack is None):
        raise _no_such_form(form, host)
    return replace(host, fips=fips, dual_stack=dual_stack)


def partition_of_region(region: str) -> str:
    """The AWS partition a region belongs to, such as `aws-us-gov` for `us-gov-west-1`.

    Raises:
        ValueError: no partition has regions of such a name.
    """
    partition = _partition_or_none(region)
    if partition is None:
        raise ValueError(f"region {region[:64]!r} is none of any AWS partition; write it as in us-east-1")
    return partition


def normalise_endpoint(endpoint: str) -> str:
    """The endpoint of a basic registry as its identity counts it: `host[:port][/path]`.

    The host is lower-cased; scheme, default port, doubled and trailing slashes go. The path keeps its case.

    Raises:
        ValueError: it is no endpoint, or carries userinfo, a query or a fragment (the text never shows those).
    """
    shown = _shown(endpoint)
    if not re.fullmatch(r"[!-~]+", endpoint):
        raise ValueError(f"endpoint {shown!r}: write host[:port][/path] without blanks, a foreign name in punycode")
    if re.search(r"[@?#\\]", endpoint):
        raise ValueError(f"endpoint {shown!r}: take out user name, password, query and fragment")
    parts, port = _split(endpoint if "://" in endpoint else f"https://{endpoint}", shown)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    authority = f"{host}:{port}" if port not in {None, *_DEFAULT_PORTS[parts.scheme]} else str(host)
    return "/".join([authority, *(part for part in parts.path.split("/") if part)])


def _split(url: str, shown: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"endpoint {shown!r}: host or port cannot be read; write host[:port][/path]") from None
    readable = re.fullmatch(_HOST_NAME, parts.hostname or "") and not parts.netloc.endswith(":") and port != 0
    if parts.scheme not in _DEFAULT_PORTS or not readable:
        raise ValueError(f"endpoint {shown!r}: write it as https://host[:port][/path]")
    return parts, port


def _shown(endpoint: str) -> str:
    """The endpoint as an error may show it: nothing of what could be a user name, a password or a token."""
    if re.search(r"[?#][^@]*@", endpoint):
        return "(not shown)"
    return re.split(r"[?#]", endpoint.rpartition("@")[2])[0][:200]


def _suffix(partition: str, *, dual_stack: bool) -> str | None:
    known = _PARTITIONS[partition]
    return known.dual_stack if dual_stack else known.suffix


def _partition_or_none(region: str) -> str | None:
    matches = (name for name, known in _PARTITIONS.items() if re.fullmatch(known.regions, region, re.ASCII))
    return next(matches, None)


def _no_such_form(form: str, host: EcrHost) -> ValueError:
    return ValueError(f"endpoint form {form!r}: partition {host.partition} has no such ECR hosts; use standard")
