"""Tries a basic registry by the Docker registry protocol: `GET /v2/`, and what its challenge asks for.

Source: the OCI distribution specification ("Determining Support") and CNCF distribution's token authentication.
"""

import re
import socket
import ssl

import httpx

from sandbox.vertex.schema import BasicSpec, RegistryAuth, TlsConfiguration
from sandbox.vertex.validation.outcomes import Failure, TryFailedError

_ECR_HOST = re.compile(r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9.-]+")
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_UNAUTHORIZED, _FORBIDDEN = 401, 403


def try_basic(spec: BasicSpec, timeout_seconds: float, aws_endpoint: str | None = None) -> None:
    """Read `/v2/` of the endpoint with the given credentials and TLS settings.

    An ECR host is found where the sandbox's AWS is, as if by its DNS.

    Raises:
        TryFailedError: rejected, timed out, or not reachable.
    """
    url = _base_url(spec) + "/v2/"
    try:
        with httpx.Client(verify=_tls_context(spec.tls), timeout=timeout_seconds, trust_env=False) as http:
            host = _ecr_host(url) if aws_endpoint else None
            if host and aws_endpoint:
                http.headers["Host"], url = host, f"{aws_endpoint}/v2/"
            _Trial(http, spec.auth, url).run()
    except httpx.TimeoutException:
        words = f'Get "{url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        raise TryFailedError(Failure.TIMEOUT, words) from None
    except httpx.InvalidURL as error:
        raise TryFailedError(Failure.UNREACHABLE, f'parse "{url}": {error}') from None
    except httpx.HTTPError as error:
        raise TryFailedError(Failure.UNREACHABLE, f'Get "{url}": {_network_words(error)}') from None


class _Trial:
    """One try: without credentials first, then as the challenge says."""

    def __init__(self, http: httpx.Client, auth: RegistryAuth, url: str) -> None:
        self._http = http
        self._auth = auth
        self._url = url

    def run(self) -> None:
        if self._auth.type == "token":
            self._judge(self._get(f"Bearer {self._auth.token}"))
            return
        first = self._http.get(self._url)
        if first.status_code == _UNAUTHORIZED:
            self._answer(first.headers.get("WWW-Authenticate", ""))
        else:
            self._judge(first)

    def _answer(self, challenge: str) -> None:
        scheme, _, rest = challenge.partition(" ")
        match scheme.lower():
            case "bearer":
                self._judge(self._get(f"Bearer {self._fetch_token(dict(_PARAMETER.findall(rest)))}"))
            case "basic" if self._login:
                self._judge(self._http.get(self._url, auth=self._login))
            case _:
                raise self._rejected(_UNAUTHORIZED)

    @property
    def _login(self) -> tuple[str, str] | None:
        """Username and password; an empty pair means none."""
        if self._auth.type == "noAuth" or not self._auth.username:
            return None
        return self._auth.username, self._auth.password or ""

    def _fetch_token(self, challenge: dict[str, str]) -> str:
        realm = challenge.pop("realm", "")
        wanted = {key: value for key, value in challenge.items() if key in {"service", "scope"}}
        response = self._http.get(realm, params=wanted, auth=self._login)
        if response.status_code in {_UNAUTHORIZED, _FORBIDDEN}:
            raise self._rejected(response.status_code)
        try:
            body = response.raise_for_status().json()
            return str(body.get("token") or body["access_token"])
        except (KeyError, ValueError, AttributeError):
            raise TryFailedError(Failure.UNREACHABLE, f'Get "{realm}": no token in the answer') from None

    def _get(self, authorization: str) -> httpx.Response:
        return self._http.get(self._url, headers={"Authorization": authorization})

    def _judge(self, response: httpx.Response) -> None:
        if response.status_code in {_UNAUTHORIZED, _FORBIDDEN}:
            raise self._rejected(response.status_code)
        if not response.is_success:
            words = f'Get "{self._url}": unexpected status code {response.status_code}'
            raise TryFailedError(Failure.UNREACHABLE, words)

    def _rejected(self, status: int) -> TryFailedError:
        """Echoes the credentials: server messages have been seen to, so whoever shows them must redact."""
        sent = f"username '{self._auth.username}', password '{self._auth.password}', token '{self._auth.token}'"
        words = f'GET "{self._url}": response status code {status}: unauthorized: authentication required ({sent})'
        return TryFailedError(Failure.CREDENTIALS, words)


def _base_url(spec: BasicSpec) -> str:
    """The endpoint, https unless it says otherwise, with its suffix (`basePath`)."""
    endpoint = spec.endpoint if "://" in spec.endpoint else f"https://{spec.endpoint}"
    suffix = (spec.base_path or "").strip("/")
    return "/".join(part for part in (endpoint.rstrip("/"), suffix) if part)


def _ecr_host(url: str) -> str | None:
    host = httpx.URL(url).host
    return host if _ECR_HOST.fullmatch(host) else None


def _tls_context(tls: TlsConfiguration | None) -> ssl.SSLContext:
    """Public authorities, and the given one; Terraform's provider always sends it as `certificate`.

    Like Go's, and unlike Python's default, it takes a private CA whose certificate leaves out some extensions.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if tls and tls.certificate:
        context.load_verify_locations(cadata=tls.certificate)
    if tls and tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _network_words(error: httpx.HTTPError) -> str:
    """The same trouble in the words of Go's net and crypto packages."""
    root = _root(error)
    if isinstance(root, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {root.verify_message}"
    if isinstance(root, ssl.SSLError):
        return f"tls: handshake failure: {root.reason}"
    if isinstance(root, socket.gaierror):
        return "dial tcp: lookup of the host: no such host"
    if isinstance(root, ConnectionRefusedError):
        return "dial tcp: connect: connection refused"
    return f"EOF: {error}"


def _root(error: BaseException) -> BaseException:
    """What was raised first; httpx and httpcore wrap it."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error
