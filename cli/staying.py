"""`autopilot sandbox`: stays up until it is told to end."""

import json
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from cli.emitting import Emitter
from cli.installation import Site
from sandbox.stack import Sandbox

ENV_FILE = Path(".sandbox/env")
_LOOK_SECONDS = 0.5


def stay(site: Site, *, as_json: bool) -> None:
    """Print where everything is, then wait for Ctrl-C or a TERM signal."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    sandbox = site.sandbox
    _write_environment(sandbox.aws_environment)
    addresses = {
        "aws": sandbox.aws.endpoint_url,
        "vertex": site.vertex_url,
        "env_file": str(ENV_FILE),
        "events_queue": sandbox.deployment["EventsQueue"],
        "ledger_table": sandbox.deployment["LedgerTable"],
        "mode_parameter": sandbox.deployment["ModeParameter"],
        "definitions_path": "/registry-autopilot/registries",
    }
    sys.stdout.write(json.dumps(addresses, indent=2) + "\n" if as_json else _in_words(addresses))
    sys.stdout.flush()
    try:
        _watch(sandbox, done)
    finally:
        ENV_FILE.unlink(missing_ok=True)


def _write_environment(variables: Mapping[str, str]) -> None:
    """For its owner's eyes only, since a key is in it."""
    ENV_FILE.parent.mkdir(exist_ok=True)
    ENV_FILE.touch(mode=0o600)
    ENV_FILE.chmod(0o600)
    ENV_FILE.write_text("".join(f"export {name}={value}\n" for name, value in variables.items()))


def _in_words(addresses: Mapping[str, str]) -> str:
    lines = [f"{name.replace('_', ' '):18}{value}" for name, value in addresses.items()]
    hint = f"source {ENV_FILE}   # then, for example: aws ecr create-repository --repository-name charts/ingress"
    return "\n".join([*lines, "", hint, "Notices are shown as they come. Ctrl-C ends it.", ""])


def _watch(sandbox: Sandbox, done: threading.Event) -> None:
    """Emit what AWS would, and say what admins are told."""
    emitter, told = Emitter(sandbox.aws), 0
    while not done.wait(_LOOK_SECONDS):
        emitter.emit()
        notices = sandbox.notices()
        for notice in notices[told:]:
            sys.stderr.write(f"{notice.subject}\n")
        told = len(notices)
