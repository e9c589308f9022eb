"""Where the functions' own connections never go."""

from ipaddress import ip_address

import pytest

from registry_autopilot.addresses import why_refused

_REFUSED = [
    "127.0.0.1",
    "127.8.9.10",
    "::1",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "169.254.100.1",
    "fe80::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "224.0.0.1",
    "ff02::1",
    "0.0.0.0",  # noqa: S104 - an address that is refused
    "0.1.2.3",
    "::",
    "240.0.0.1",
    "255.255.255.255",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("text", _REFUSED)
def test_address_is_refused_when_it_leads_to_the_machine_itself(text: str) -> None:
    """Loopback, link-local, metadata, multicast, unspecified: also inside an IPv6 address."""
    assert why_refused(ip_address(text)) is not None


@pytest.mark.parametrize("text", ["10.0.0.7", "172.16.4.4", "192.168.1.1", "8.8.8.8", "fd12::7", "2600:1f18::1"])
def test_address_is_allowed_when_a_registry_may_have_it(text: str) -> None:
    """Registries are in private networks as a rule."""
    assert why_refused(ip_address(text)) is None
