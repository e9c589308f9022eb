"""Certificates are read from their encoding, verified or not."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from registry_autopilot.certificates import next_expiry, read_certificate, read_pem
from tests.support.certificates import Made, common_name, make_certificate

_CA = make_certificate("Agency Root")


def _ending(year: int, *, month: int = 6) -> Made:
    return make_certificate("harbor.example.gov", signed_by=_CA, ends=dt.datetime(year, month, 1, 12, tzinfo=dt.UTC))


@pytest.mark.parametrize("year", [2021, 2049, 2050, 2099])
def test_certificate_is_read_when_it_has_either_form_of_time(year: int) -> None:
    """Up to 2049 years have two digits, from 2050 on four (RFC 5280, 4.1.2.5)."""
    read = read_certificate(_ending(year).der)
    assert (read.subject, read.issuer) == ("harbor.example.gov", "Agency Root")
    assert read.not_after == dt.datetime(year, 6, 1, 12, tzinfo=dt.UTC).timestamp()


def test_organization_names_a_certificate_when_it_has_no_common_name() -> None:
    """Some CAs have an organization only, some nothing at all."""
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Agency")])
    assert read_certificate(make_certificate(name).der).subject == "Agency"
    assert read_certificate(make_certificate(x509.Name([])).der).subject == "nobody in particular"


def test_name_is_cleaned_and_cut_when_it_tries_to_write_lines_of_its_own() -> None:
    """What a foreign server calls itself goes into notices: no control characters, no flood."""
    read = read_certificate(make_certificate(common_name("evil\r\n\x1b[31m\u202eName" + "x" * 40)).der)
    assert read.subject == "evil[31mName" + "x" * 40
    long = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "y" * 64), *common_name("z" * 64)])
    assert len(read_certificate(make_certificate(long).der).subject) <= 80


def test_bundle_is_read_when_parts_of_it_are_unreadable() -> None:
    """Text between certificates, and a broken one, leave the others readable."""
    broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    bundle = f"# our roots\n{_CA.pem}{broken}and\n{_ending(2099).pem}"
    assert [read.subject for read in read_pem(bundle)] == ["Agency Root", "harbor.example.gov"]


def test_next_expiry_is_of_the_first_that_still_lasts() -> None:
    """One that ended long ago and was left in the bundle is no news; a bundle of nothing else is."""
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    old, soon, late = _ending(2025), _ending(2027), _ending(2030)
    assert next_expiry(old.pem + late.pem + soon.pem, now) == read_certificate(soon.der).not_after
    assert next_expiry(old.pem, now) == read_certificate(old.der).not_after
    assert next_expiry("no certificate", now) is None


_CUT = st.integers(0, len(_CA.der)).map(lambda cut: _CA.der[:cut] + b"\x84\xff")


# one of the very same length is a certificate still, with another signature
@given(st.binary(max_size=80) | _CUT.filter(lambda der: len(der) != len(_CA.der)))
def test_anything_else_is_refused_with_one_kind_of_error(der: bytes) -> None:
    """A server may show anything."""
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the text, nothing but this kind may come out
        read_certificate(der)
