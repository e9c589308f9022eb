"""The VerteX client of a function: built once, and anew when the CA it trusts was rotated."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from pydantic import SecretStr

from registry_autopilot.causes import AutopilotError
from registry_autopilot.secret_values import SecretValue
from registry_autopilot.settings import ConvergeSettings
from registry_autopilot.vertex_wiring import VertexBuilder, trust
from tests.support.oci import make_ca
from tests.unit.test_function_settings import BASE

CA_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:vertex/ca-AbCdEf"


class _Secrets:
    """One secret, whose version a test changes."""

    def __init__(self, pem: str) -> None:
        self.pem = pem
        self.version = "one"

    def read(self, secret_id: str) -> SecretValue:
        assert secret_id == CA_ARN
        return SecretValue(CA_ARN, "vertex/ca", self.version, SecretStr(self.pem))


def _builder(secrets: Any, **settings: str) -> VertexBuilder:
    return VertexBuilder(ConvergeSettings.read(BASE | settings), secrets, Mock())


def test_client_is_the_same_when_the_ca_did_not_change(tmp_path: Path) -> None:
    """One client, so one login, for an execution environment's life."""
    builder = _builder(_Secrets(make_ca(tmp_path).ca_pem), VERTEX_CA_BUNDLE_SECRET_ARN=CA_ARN)
    assert builder.client() is builder.client()


def test_client_is_built_anew_when_the_ca_was_rotated(tmp_path: Path) -> None:
    """A function that lives on does not trust yesterday's CA for ever."""
    secrets = _Secrets(make_ca(tmp_path).ca_pem)
    builder = _builder(secrets, VERTEX_CA_BUNDLE_SECRET_ARN=CA_ARN)
    before = builder.client()
    (tmp_path / "new").mkdir()
    secrets.pem, secrets.version = make_ca(tmp_path / "new").ca_pem, "two"
    assert builder.client() is not before


def test_no_secret_is_read_when_the_stack_has_no_private_ca() -> None:
    """The system's own authorities need no request."""
    secrets = Mock()
    _builder(secrets).client()
    secrets.read.assert_not_called()


def test_error_names_the_parameter_when_the_bundle_is_no_certificate() -> None:
    """Words an admin can act on, and nothing of what the secret holds."""
    bundle = SecretValue(CA_ARN, "vertex/ca", "one", SecretStr("not a certificate"))
    with pytest.raises(AutopilotError, match="VertexCaBundleSecretArn") as caught:
        trust(bundle)
    assert "not a certificate" not in caught.value.detail
