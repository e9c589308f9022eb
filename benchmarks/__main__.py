"""Run every measurement and print it. Counts are exact; times depend on the machine."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from registry_autopilot.events import parse_body
from sandbox.stack import Sandbox

ROOT = Path(__file__).resolve().parent.parent
REPOSITORIES = 500
REPOSITORIES_SWEPT = (10, 1_000, 100_000)
NEW_REGISTRIES = 200


def main() -> None:
    """Print one line per measurement."""
    print(f"cold import of a function        median {_cold_import():.2f} s of 5")
    print(f"parsing a CreateRepository event {_parsing():,.0f} events/s")
    _many_repositories()
    _sweeps()
    _throughput()


def _cold_import() -> float:
    """Seconds to import converge_registry in a fresh interpreter."""
    paths = [str(ROOT / "functions" / "converge_registry"), str(ROOT / "layers" / "autopilot")]
    code = f"import sys; sys.path[:0] = {paths!r}; import app"
    return statistics.median(_timed([sys.executable, "-c", code]) for _ in range(5))


def _timed(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True)  # noqa: S603 - our own interpreter and code
    return time.perf_counter() - begun


def _parsing() -> float:
    body = (ROOT / "events" / "create-repository.json").read_text()
    begun = time.perf_counter()
    for _ in range(2000):
        parse_body(body)
    return 2000 / (time.perf_counter() - begun)


def _many_repositories() -> None:
    """500 repositories at once under one base path, through the deployed template."""
    with Sandbox() as sandbox:
        assert sandbox.vertex is not None
        begun = time.perf_counter()
        for number in range(REPOSITORIES):
            sandbox.activity.create_repository(f"team-a/spectro-packs/archive/pack-{number:03d}")
        created = time.perf_counter() - begun
        sandbox.settle(120)
        settled = time.perf_counter() - begun
        requests = len(sandbox.vertex.journal.registry_requests())
        print(
            f"{REPOSITORIES} repositories, one base path    {len(sandbox.vertex.registries())} registry,"
            f" {requests} registry requests, {len(sandbox.vertex.syncs())} syncs"
        )
        print(f"  made in {created:.1f} s, everything settled {settled - created:.1f} s later")


def _sweeps() -> None:
    """A sweep that finds nothing, each in a process of its own, so that its peak memory is its own."""
    found = [_run("benchmarks.sweep", str(count)) for count in REPOSITORIES_SWEPT]
    for count, one in zip(REPOSITORIES_SWEPT, found, strict=True):
        print(
            f"sweep of {count:>6} repositories       {one['registries']} registries, {one['lists']} lists asked of"
            f" VerteX, {one['seconds']:.2f} s, peak {one['peak_mb']:.0f} MB"
        )
    growth = found[-1]["seconds"] / found[-2]["seconds"]
    print(f"  from {REPOSITORIES_SWEPT[-2]} to {REPOSITORIES_SWEPT[-1]} repositories: {growth:.1f} times as long")


def _throughput() -> None:
    one = _run("benchmarks.throughput", str(NEW_REGISTRIES))
    print(
        f"{NEW_REGISTRIES} new registries at 300 ms      {one['ratio']} times what the rate allows at best"
        f" ({one['seconds']} s of {one['best_seconds']}), {one['requests']} requests, {one['too_many_requests']} 429"
    )


def _run(module: str, argument: str) -> dict[str, float]:
    command = [sys.executable, "-m", module, argument]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)  # noqa: S603 - our own code
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
