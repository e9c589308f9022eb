"""What the deployed function sees of a registry that VerteX refuses: real connections, strict addresses."""

import json

from sandbox.stack import Sandbox
from tests.support.servers import server

_ROLE = "arn:aws:iam::123456789012:role/sandbox-ecr-pull"
_CHARTS = {
    "id": "charts",
    "name": "platform-charts",
    "provider": "helm",
    "base_content_path": "charts",
    "credentials": {"kind": "sts", "role": _ROLE, "external_id": "not-the-one-of-the-role"},
}


def _openings(sandbox: Sandbox) -> list[str]:
    """The texts with which incidents of registries opened."""
    openings = [n for n in sandbox.notices() if n.attributes["state"] == "open"]
    return [n.body for n in openings if n.attributes["subject"].startswith("registry:")]


def test_notice_says_what_ecr_has_when_a_role_is_refused() -> None:
    """The role cannot be tried from here; whether the base path holds anything can be seen."""
    with Sandbox([_CHARTS]) as sandbox:
        sandbox.activity.create_repository("charts/web")
        sandbox.settle()
        (body, *_) = _openings(sandbox)
    assert "Seen from the function's network: " in body
    assert "ECR has repositories under the base path charts." in body


def test_function_leaves_its_own_machine_alone_when_a_definition_points_there() -> None:
    """The address is refused before it is connected to, though the host is one that credentials may go to."""
    with server(b"HTTP/1.1 500 Internal Server Error\r\n\r\n") as running:
        local = f"127.0.0.1:{running.port}"
        basic = {
            "name": "local-charts",
            "type": "basic",
            "provider": "helm",
            "endpoint": f"http://{local}",
            "base_content_path": "charts",
        }
        with Sandbox([], parameters={"AllowedRegistryHosts": local}) as sandbox:
            sandbox.activity.put_parameter("/registry-autopilot/registries/local", json.dumps(basic))
            sandbox.settle()
            (body, *_) = _openings(sandbox)
        # What reached the server came from the stand-in for VerteX, which tries the registry itself.
        ours = [request for request in running.received if b"User-Agent: registry-autopilot" in request]
    assert "no connection was tried: loopback" in body
    assert ours == []
