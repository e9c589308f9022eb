"""A sweep over so many repositories that finds nothing to do: seconds, peak memory, requests. In one process.

python -m benchmarks.sweep 100000
"""

import json
import resource
import sys
import time
from collections.abc import Iterable

from registry_autopilot.ports import ListedRepository
from tests.support.installation import FAMILY, Installation
from tests.support.world import START, FakeRepositories, host

REGISTRIES = 1000  # at most; each holds its share of the repositories
_PACKS = "spectro-packs/archive"


class _Many(FakeRepositories):
    """Repositories that are made up as they are listed, as pages of DescribeRepositories are."""

    count: int = 0

    def listed(self, account: str, region: str, role: str | None = None) -> Iterable[ListedRepository]:
        for number in range(self.count):
            name = f"team-{number % REGISTRIES:04d}/{_PACKS}/pack-{number // REGISTRIES}"
            yield ListedRepository(name, f"{host(account, region)}/{name}", START)


def measure(count: int) -> dict[str, float]:
    """One sweep in which nothing changed."""
    site = Installation([FAMILY | {"max_registries": REGISTRIES}])
    site.pipeline.repositories = _Many()
    bases = [f"team-{number:04d}/{_PACKS}/pack-0" for number in range(min(count, REGISTRIES))]
    site.create(*bases)
    site.pipeline.repositories.count = count
    site.sweep(yes=True)
    site.forget_calls()
    begun = time.perf_counter()
    report = site.sweep()
    seconds = time.perf_counter() - begun
    assert report.plan.counts.get("nothing", 0) + report.plan.counts.get("prove", 0) == len(bases)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lists = sum(call in {"GET metadata", "GET summary"} for call in site.calls())
    proofs = report.plan.counts.get("prove", 0)
    return {"seconds": seconds, "peak_mb": peak, "lists": lists, "proofs": proofs, "registries": len(bases)}


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
