"""The stand-in over real HTTP, and a tiny registry for it to try: what tests of the stand-in speak."""

import base64
import secrets
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from werkzeug.wrappers import Request, Response

from sandbox.serving import Environ, LocalServer
from sandbox.vertex import VertexStandIn
from tests.support.oci import PrivateCa

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
USERNAME = "autopilot@example.gov"
PASSWORD = secrets.token_urlsafe(12)
START = 1_790_000_000.0


@dataclass(slots=True)
class Clock:
    """Seconds since the epoch, moved by hand."""

    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True)
class Site:
    """A running stand-in, its clock, and a client that is logged in."""

    vertex: VertexStandIn
    clock: Clock
    http: httpx.Client

    def log_in(self, password: str = PASSWORD, **fields: str) -> httpx.Response:
        return self.http.post("/v1/auth/syslogin", json={"username": USERNAME, "password": password} | fields)

    def use_token(self) -> None:
        """Log in, and send the token from now on."""
        self.http.headers["Authorization"] = self.log_in().json()["Authorization"]

    def create(self, body: dict[str, Any], type_: str = "ecr", **query: str) -> httpx.Response:
        return self.http.post(f"/v1/registries/oci/{type_}", json=body, params=query)

    def put(self, uid: str, body: dict[str, Any], type_: str = "ecr") -> httpx.Response:
        return self.http.put(f"/v1/registries/oci/{uid}/{type_}", json=body)

    def get(self, uid: str, type_: str = "ecr") -> dict[str, Any]:
        response = self.http.get(f"/v1/registries/oci/{uid}/{type_}")
        assert response.status_code == 200
        return dict(response.json())

    def sync(self, uid: str, *, force: bool = False) -> httpx.Response:
        return self.http.post(f"/v1/registries/oci/{uid}/ecr/sync", params={"forceSync": str(force).lower()})

    def sync_status(self, uid: str) -> dict[str, Any]:
        return dict(self.http.get(f"/v1/registries/oci/{uid}/ecr/sync/status").json())

    def validate(self, spec: dict[str, Any], type_: str = "basic") -> httpx.Response:
        return self.http.post(f"/v1/registries/oci/{type_}/validate", json=spec, timeout=30)


@contextmanager
def running(**options: Any) -> Iterator[Site]:
    """A stand-in with a client that is logged in."""
    clock = Clock()
    stand_in = VertexStandIn(username=USERNAME, password=PASSWORD, clock=clock, **options)
    with stand_in as vertex, httpx.Client(base_url=vertex.url, trust_env=False) as http:
        site = Site(vertex, clock, http)
        site.use_token()
        yield site


def ecr_spec(**changes: Any) -> dict[str, Any]:
    """A good spec of an ECR registry, changed in places; a change to None takes the field out."""
    spec = {
        "endpoint": HOST,
        "isPrivate": True,
        "isSyncSupported": True,
        "providerType": "pack",
        "baseContentPath": "team-a",
        "credentials": {"credentialType": "secret", "accessKey": "an-id", "secretKey": "a-secret", "partition": "aws"},
    }
    return {key: value for key, value in (spec | changes).items() if value is not None}


def ecr_body(name: str = "packs", **changes: Any) -> dict[str, Any]:
    """A good create or update body."""
    return {"metadata": {"name": name}, "spec": ecr_spec(**changes)}


def basic_spec(endpoint: str, *, tls: dict[str, Any] | None = None, **auth: Any) -> dict[str, Any]:
    """A spec of a basic registry; without `auth` it has no authentication."""
    login = auth or {"type": "noAuth"}
    return {"endpoint": endpoint, "providerType": "helm", "auth": login | ({"tls": tls} if tls else {})}


@contextmanager
def tiny_registry(scheme: str = "Basic", *, ca: PrivateCa | None = None) -> Iterator[str]:
    """A registry that lets in `robot` with `right`; gives its URL.

    `scheme` is how it challenges: `Basic`, `Bearer` (with a token service of its own) or `none`. It answers 404 to
    everything outside `/v2/`, `/suffix/v2/` and `/token`, and 503 under `/sick/v2/`.
    """
    context = None
    if ca:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ca.certificate, ca.key)
    token = secrets.token_hex(8)
    login = "Basic " + base64.b64encode(b"robot:right").decode()

    def answer(request: Request) -> Response:
        sent = request.headers.get("Authorization")
        if request.path == "/token":
            return Response(f'{{"token": "{token}"}}' if sent == login else "", 200 if sent == login else 401)
        if request.path == "/sick/v2/":
            return Response("", 503)
        if request.path not in {"/v2/", "/suffix/v2/"}:
            return Response("", 404)
        if scheme == "none" or sent in ({login} if scheme == "Basic" else {f"Bearer {token}", "Bearer given"}):
            return Response("{}", 200)
        realm = f'realm="{request.host_url}token",service="tiny"' if scheme == "Bearer" else 'realm="tiny"'
        return Response("", 401, {"WWW-Authenticate": f"{scheme} {realm}"})

    def app(environ: Environ, start_response: Any) -> Any:
        return answer(Request(environ))(environ, start_response)

    with LocalServer(app, ssl_context=context) as server:
        yield server.url
