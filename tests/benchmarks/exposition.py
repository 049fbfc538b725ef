"""CPU of reading one captured vLLM page (50 kB) with the adapter, and with prometheus_client.

    python -m tests.benchmarks.exposition

Exits 1 where a read costs more than the limit of 1 ms.
"""

import sys
import time
from collections.abc import Callable
from statistics import median

from prometheus_client.parser import text_string_to_metric_families

from tests.payloads import payload
from tests.sources.engines.conversations import read
from tokentop.sources.engines.protocol import Answer
from tokentop.sources.engines.vllm import Vllm

LIMIT_MS = 1.0
ROUNDS = 60
EACH = 10
PAGE = payload("vllm/load/metrics.txt")
ANSWERS = {
    "/metrics": Answer(PAGE, "text/plain"),
    "/version": Answer(payload("vllm/load/version.json")),
    "/v1/models": Answer(payload("vllm/load/v1_models.json")),
}
ENGINE = Vllm()


def adapter() -> None:
    """One whole poll: the page to a reading."""
    assert read(ENGINE.poll(1.0), ANSWERS).active == 4


def library() -> None:
    """The page to prometheus_client's families, none of them looked at."""
    assert sum(len(family.samples) for family in text_string_to_metric_families(PAGE.decode()))


def cpu_ms(work: Callable[[], None]) -> float:
    """CPU milliseconds of one call, over a short run."""
    started = time.process_time()
    for _ in range(EACH):
        work()
    return (time.process_time() - started) / EACH * 1e3


def main() -> int:
    adapter()
    library()
    pairs = [(cpu_ms(adapter), cpu_ms(library)) for _ in range(ROUNDS)]
    ours, theirs = (median(pair[n] for pair in pairs) for n in (0, 1))
    ratio = median(one / other for one, other in pairs)
    print(f"page {len(PAGE) / 1e3:.1f} kB, {len(PAGE.splitlines())} lines")
    print(f"adapter            {ours:6.3f} ms of CPU per read (limit {LIMIT_MS:g} ms)")
    print(f"prometheus_client  {theirs:6.3f} ms")
    print(f"adapter / library  ×{ratio:.3f} (median of {len(pairs)} pairs)")
    return 0 if ours <= LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
