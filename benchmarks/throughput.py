"""Many new registries applied by a sweep through the deployed template, VerteX answering after 300 ms.

python -m benchmarks.throughput 200
"""

import json
import sys
import time

from sandbox.stack import Sandbox

RATE = 5  # VertexRequestsPerSecond, the template's default
PER_REGISTRY = 4  # summary, validate, POST, metadata
FAMILY = {
    "id": "packs",
    "name": "ecr-{base}",
    "provider": "pack",
    "match": {"repositories": ["team-*"]},
    "credentials": {"kind": "none"},
    "max_registries": 1000,
}


def measure(count: int) -> dict[str, float]:
    """From `apply` until the last registry is there."""
    with Sandbox([FAMILY], parameters={"VertexRequestsPerSecond": str(RATE)}) as sandbox:
        assert sandbox.vertex is not None
        sandbox.vertex.behaviour.latency_seconds = 0.3
        ecr = sandbox.aws.client("ecr")
        for number in range(count):
            ecr.create_repository(repositoryName=f"team-{number:04d}/spectro-packs/archive/app")
        begun = time.perf_counter()
        sandbox.sweep("apply", yes=True)
        sandbox.settle(1200)
        seconds = time.perf_counter() - begun
        answers = [entry.status for entry in sandbox.vertex.journal.registry_requests()]
        best = count * PER_REGISTRY / RATE
        return {
            "registries": len(sandbox.vertex.registries()),
            "seconds": round(seconds, 1),
            "best_seconds": best,
            "ratio": round(seconds / best, 2),
            "requests": len(answers),
            "too_many_requests": answers.count(429),
        }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
