"""Text in base64, as people and tools leave it: wrapped, or without its padding. Pure."""

import base64
import binascii


def decoded(text: str) -> str | None:
    """The text that another one stands for; None where it is no base64, or none of text."""
    packed = "".join(text.split())
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
