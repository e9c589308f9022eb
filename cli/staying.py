"""`autopilot sandbox`: stays up until it is told to end."""

import json
import signal
import sys
import threading
from pathlib import Path

from cli.installation import Site

ENV_FILE = Path(".sandbox/env")


def stay(site: Site, *, as_json: bool) -> None:
    """Print where everything is, then wait for Ctrl-C or a TERM signal."""
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    sandbox = site.sandbox
    ENV_FILE.parent.mkdir(exist_ok=True)
    ENV_FILE.write_text("".join(f"export {name}={value}\n" for name, value in sandbox.aws_environment.items()))
    ENV_FILE.chmod(0o600)
    addresses = {
        "aws": sandbox.aws.endpoint_url,
        "vertex": site.vertex_url,
        "env_file": str(ENV_FILE),
        "events_queue": sandbox.deployment["EventsQueue"],
        "ledger_table": sandbox.deployment["LedgerTable"],
        "mode_parameter": sandbox.deployment["ModeParameter"],
        "definitions_path": "/registry-autopilot/registries",
    }
    lines = json.dumps(addresses, indent=2) if as_json else "\n".join(f"{k:18}{v}" for k, v in addresses.items())
    sys.stdout.write(lines + "\n")
    if not as_json:
        sys.stdout.write(
            f"\nsource {ENV_FILE}   # then: aws ecr create-repository --repository-name …\nCtrl-C ends it.\n"
        )
    sys.stdout.flush()
    done.wait()
    ENV_FILE.unlink(missing_ok=True)
