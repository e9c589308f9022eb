"""Which addresses the functions' own connections may go to. Pure.

A registry's name is anybody's to point somewhere. A look at it must not become a way to the function's own machine or
to the services that hand out its credentials.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

type Address = IPv4Address | IPv6Address
type AddressRule = Callable[[Address], str | None]
"""Why an address is not connected to; None: it may be."""

_OF_THE_HOST_ITSELF: Final = (
    IPv4Network("0.0.0.0/8"),
    IPv6Network("fd00:ec2::/32"),  # instance metadata, container credentials and DNS of AWS over IPv6
)
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last four bytes


def why_refused(address: Address) -> str | None:
    """Why an address is never connected to: loopback, link-local, metadata, multicast, unspecified, reserved.

    Private addresses are where registries usually are, and may be.
    """
    inner = _embedded(address)
    if inner is not None:
        return why_refused(inner)
    if any(address in network for network in _OF_THE_HOST_ITSELF if network.version == address.version):
        return "metadata or unspecified"
    rules = (
        (address.is_loopback, "loopback"),
        (address.is_link_local, "link-local"),  # 169.254.169.254 and 169.254.170.2 among them
        (address.is_multicast, "multicast"),
        (address.is_unspecified, "unspecified"),
        (address.is_reserved, "reserved"),
    )
    return next((word for applies, word in rules if applies), None)


def _embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address that a connection to an IPv6 address would reach in the end."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
