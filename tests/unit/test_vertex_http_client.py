"""The HTTP client: a password goes by https only, and through the proxy only where one can help."""

import pytest

from registry_autopilot.vertex.http_client import open_http

_PROXY = "http://proxy.example.gov:3128"


@pytest.mark.parametrize(
    "url", ["https://vertex.example.gov", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:1"]
)
def test_client_is_opened_when_the_address_is_safe(url: str) -> None:
    """Only https anywhere, also http on loopback; redirects are never followed."""
    with open_http(url) as http:
        assert not http.follow_redirects


@pytest.mark.parametrize("url", ["http://vertex.example.gov", "ftp://127.0.0.1", "vertex.example.gov", "https://", ""])
def test_client_is_refused_when_a_password_would_go_in_the_clear(url: str) -> None:
    """The error names the variable and the remedy, not the value."""
    with pytest.raises(ValueError, match=r"VERTEX_URL must be like https://"):
        open_http(url)


@pytest.mark.parametrize(
    ("url", "through_proxy"), [("https://vertex.example.gov", True), ("http://127.0.0.1:1", False)]
)
def test_proxy_of_the_environment_is_used_when_it_can_reach_vertex(
    monkeypatch: pytest.MonkeyPatch, url: str, through_proxy: bool
) -> None:
    """HTTPS_PROXY works; on loopback it is not asked."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, _PROXY)
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with open_http(url) as http:
        proxied = [transport for transport in http._mounts.values() if transport is not None]
        assert bool(proxied) is through_proxy
