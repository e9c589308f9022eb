"""A real OCI registry: the CNCF distribution registry from Debian's package, with htpasswd and a private CA."""

import datetime as dt
import ipaddress
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bcrypt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PROGRAM = shutil.which("docker-registry")
WHY_ABSENT = "the Debian package docker-registry is not installed (apt-get install docker-registry)"


@dataclass(frozen=True, slots=True)
class PrivateCa:
    """A certificate authority of the test, and a certificate of it for 127.0.0.1."""

    ca_pem: str
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class OciRegistry:
    """A running registry."""

    endpoint: str
    username: str
    password: str
    ca_pem: str | None
    htpasswd: Path

    def set_password(self, password: str) -> None:
        """Change the password in the htpasswd file; the registry reads it anew."""
        _write_htpasswd(self.htpasswd, self.username, password)
        now = time.time() + 5
        os.utime(self.htpasswd, (now, now))


@contextmanager
def oci_registry(folder: Path, *, password: str, ca: PrivateCa | None = None) -> Iterator[OciRegistry]:
    """Run a registry on a free port of loopback until the block ends."""
    assert PROGRAM is not None, WHY_ABSENT
    htpasswd = folder / "htpasswd"
    _write_htpasswd(htpasswd, "robot", password)
    port = free_port()
    config = folder / "config.yml"
    config.write_text(_config(folder, htpasswd, port, ca))
    log = (folder / "registry.log").open("wb")
    process = subprocess.Popen([PROGRAM, "serve", str(config)], stdout=log, stderr=log)  # noqa: S603 - our own config
    try:
        _wait_for(port, process)
        scheme = "https" if ca else "http"
        yield OciRegistry(f"{scheme}://127.0.0.1:{port}", "robot", password, ca.ca_pem if ca else None, htpasswd)
    finally:
        process.terminate()
        process.wait(timeout=10)
        log.close()


def make_ca(folder: Path) -> PrivateCa:
    """A fresh CA and a server certificate for 127.0.0.1 and localhost."""
    ca_key, ca = _certificate("Test CA", None, None)
    key, certificate = _certificate("127.0.0.1", ca_key, ca)
    (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    pem = ca.public_bytes(serialization.Encoding.PEM).decode()
    return PrivateCa(pem, folder / "tls.crt", folder / "tls.key")


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _certificate(
    name: str, issuer_key: ec.EllipticCurvePrivateKey | None, issuer: x509.Certificate | None
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    authority = (issuer_key or key).public_key()
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    builder = builder if issuer is None else builder.add_extension(names, critical=False)
    return key, builder.sign(issuer_key or key, hashes.SHA256())


def _write_htpasswd(path: Path, username: str, password: str) -> None:
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=4)).decode()
    path.write_text(f"{username}:{hashed}\n")


def _config(folder: Path, htpasswd: Path, port: int, ca: PrivateCa | None) -> str:
    tls = f"\n  tls:\n    certificate: {ca.certificate}\n    key: {ca.key}" if ca else ""
    return (
        "version: 0.1\nlog: {level: error}\n"
        f"storage:\n  filesystem:\n    rootdirectory: {folder / 'data'}\n"
        f"http:\n  addr: 127.0.0.1:{port}{tls}\n"
        f"auth:\n  htpasswd:\n    realm: test\n    path: {htpasswd}\n"
    )


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        assert process.poll() is None, "the registry ended at once; see registry.log"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the registry did not start")
