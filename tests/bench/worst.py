"""What the worst bodies cost: seconds of one core and MiB, for a table; `python -m tests.bench.worst`."""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import time

from tests.admission.worst import WORST, sized
from webhook.admission import exchange
from webhook.admission.review import Hook
from webhook.policy import parse
from webhook.policy.words import Network
from webhook.server.program import COLLECT_AFTER

SIZES = (64_000, 256_000, 3_000_000)
RUNS = 3


def seconds(body: bytes, runs: int = RUNS) -> float:
    """Return what the slower hook takes, the best of some runs."""
    policy = parse.for_network(Network.BGP)
    worst = 0.0
    for hook in Hook:
        best = float("inf")
        for _ in range(runs):
            started = time.process_time()
            exchange.answer(hook, body, policy)
            best = min(best, time.process_time() - started)
        worst = max(worst, best)
    return worst


def row(name: str) -> str:
    """Return one line of the table."""
    gc.freeze()  # as the server does
    gc.set_threshold(COLLECT_AFTER)
    found = [f"{seconds(sized(WORST[name], size)) * 1000:8.1f}" for size in SIZES]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return f"{name:36}{''.join(found)}{peak:8}"


def main() -> None:
    """Print a line for each shape, measured in a process of its own."""
    if len(sys.argv) > 1:
        print(row(sys.argv[1]))
        return
    print(f"{'milliseconds of one core':36}{''.join(f'{size:8}' for size in SIZES)}     MiB")
    for name in WORST:
        subprocess.run([sys.executable, "-m", __spec__.name, name], check=True)


if __name__ == "__main__":
    main()
