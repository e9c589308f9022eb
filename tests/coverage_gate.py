"""Fails when the pure modules and the use cases are not covered: `python tests/coverage_gate.py coverage.json`."""

import json
import sys
from pathlib import Path, PurePath
from typing import Any

TOGETHER = 95.0  # percent of lines and branches, over all files that count
EACH = 90.0
PACKAGE = "registry_autopilot"
LEFT_TO_INTEGRATION = ("aws/", "vertex/", "wiring.py", "observability.py", "ports/", "slack.py")


def counted(path: str) -> bool:
    """Whether a file is a pure module or a use case."""
    inner = PurePath(path).as_posix().partition(f"{PACKAGE}/")[2]
    return bool(inner) and not inner.startswith(LEFT_TO_INTEGRATION)


def percent(summaries: list[dict[str, Any]]) -> float:
    """Covered lines and branches of all there are."""
    covered = sum(s["covered_lines"] + s["covered_branches"] for s in summaries)
    total = sum(s["num_statements"] + s["num_branches"] for s in summaries)
    return 100.0 * covered / total if total else 100.0


def main(report: Path) -> int:
    """Print what falls short; the exit code."""
    files = json.loads(report.read_text())["files"]
    summaries = {path: entry["summary"] for path, entry in files.items() if counted(path)}
    short = {path: value for path, s in summaries.items() if (value := percent([s])) < EACH}
    together = percent(list(summaries.values()))
    for path, value in sorted(short.items()):
        sys.stdout.write(f"coverage: {path}: {value:.1f} % is below {EACH} %\n")
    sys.stdout.write(f"coverage of pure modules and use cases: {together:.1f} % (at least {TOGETHER} %)\n")
    return 1 if short or together < TOGETHER or not summaries else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
