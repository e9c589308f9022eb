"""Which certificate authorities a connection to a VerteX of yours trusts."""

import ssl
from pathlib import Path

from cli.errors import UsageError


def trusting(ca: Path | None) -> ssl.SSLContext:
    """The system's authorities (or those of `SSL_CERT_FILE`), and one more.

    Raises:
        UsageError: the file holds no certificate.
    """
    context = ssl.create_default_context()
    # Private authorities often lack the key identifiers that Python 3.13 insists on; the chain is still verified.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except (OSError, ssl.SSLError):
            raise UsageError(f"--ca: {ca}: holds no PEM certificate that can be read; check the path") from None
    return context
