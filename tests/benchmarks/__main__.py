"""Every figure that has a peer or a goal, as one table: on a quiet machine,

    python -m tests.benchmarks [--minutes 1] [--only WORD]

It takes a quarter of an hour: a minute for each of the rows of the app at 4 s. `--minutes 10` shows
what memory does; `--only` measures the rows whose name holds the word. The peers have the versions
of the extra `bench`; llmtop is not among them. A terminal has 120 x 40 cells.
Every engine that the search finds on this machine is polled as well: stop them first.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import edges, process
from tests.benchmarks.engines import MANY, configured, farm
from tests.benchmarks.process import median
from tests.benchmarks.screen import SETTLE_S, Stretch, Terminal, first_paint, first_paints, watch
from tests.benchmarks.world import BIN, command, environ, fake_gpus, services
from tests.cli.test_limits import engines

SIZE = (40, 120)
ROUNDS = 15
VIEWS = (b"2", b"3", b"4", b"5", b"w", b"v", b"1")
EARLY_S = 0.1
ENGINES = ("vllm", "sglang", "llamacpp")
PAINTS = 9
LLMTOP = "git+https://github.com/rxxusp/llmtop@04972ba212b5922cb168288a4a23423fed39ad58"
LLMTOP_MEASURED = "CPU ×0.42 to 0.62, bytes ×0.06, first paint ×0.66 on 22 November 2026"


class Row(NamedTuple):
    """One line of the table; `measure` takes minutes."""

    what: str
    goal: str
    measure: Callable[[float], str]


@contextmanager
def world(scenario: str = "eight", kinds: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """The environment of eight GPUs with seven services, or with engines of these kinds."""
    with ExitStack() as stack:
        gpus = stack.enter_context(fake_gpus(scenario))
        if kinds:
            yield configured(stack.enter_context(farm(*kinds)), gpus, search=True)
        else:
            yield environ(stack.enter_context(services()), gpus)


def line(kinds: Sequence[str] = ()) -> str:
    """`--compact` and the peers in turn: ratios of wall time."""
    with world(kinds=kinds) as env:
        words = {
            "ours": [command("tokentop"), "--compact", "--fresh"],
            "nvitop -1": [command("nvitop"), "-1"],
            "gpustat": [command("gpustat"), "--no-color"],
        }
        runs = process.compare(words, env, ROUNDS)
    peers = ", ".join(
        f"×{process.ratio(runs['ours'], runs[name]):.2f} of {name} "
        f"(CPU ×{process.ratio(runs['ours'], runs[name], 1):.2f})"
        for name in list(words)[1:]
    )
    wall, cpu = (median([run[i] for run in runs["ours"]]) * 1e3 for i in (0, 1))
    return f"{peers}; {wall:.0f} ms, {cpu:.0f} ms of CPU"


def stretch(minutes: float, scenario: str = "eight", kinds: Sequence[str] = ()) -> str:
    """The app at 4 s for so long."""
    with world(scenario, kinds) as env:
        seen = watch(env, minutes * 60, size=SIZE)
    return (
        f"{seen.cpu:.2%} of a core, {seen.after_mib:.1f} MiB, {seen.bytes_per_s:.0f} B/s, "
        f"{seen.wakeups_per_s:.1f} wakeups/s"
    )


def beside_vllm_htop(minutes: float) -> str:
    """The app and vllm-htop with the same vLLM, both at 4 s."""
    with fake_gpus() as gpus, farm("vllm") as urls:
        env = configured(urls, gpus, search=False)
        ours = watch(env, minutes * 30, "--no-gpus", size=SIZE)
        words = ("--url", urls[0], "--interval", "4")
        theirs = watch(env, minutes * 30, *words, size=SIZE, program="vllm-htop")
    return beside(ours, theirs)


def beside(ours: Stretch, theirs: Stretch) -> str:
    """One program's stretch against another's."""
    return (
        f"CPU ×{ours.cpu / theirs.cpu:.2f}, bytes ×{ours.bytes_per_s / theirs.bytes_per_s:.2f}, "
        f"{ours.after_mib:.0f} and {theirs.after_mib:.0f} MiB"
    )


def beside_llmtop(minutes: float) -> str:
    """The app and llmtop, another Textual app, with the same GPUs and engines, both at 4 s."""
    if not (BIN / "llmtop").exists():
        return f"{LLMTOP_MEASURED}; here: pip install {LLMTOP}"
    with fake_gpus() as gpus, farm(*ENGINES) as urls:
        env = configured(urls, gpus, search=False)
        ports = [word for url in urls for word in ("--port", url.rpartition(":")[2])]
        words = ("--interval", "4", *ports)
        ours = watch(env, minutes * 30, size=SIZE)
        theirs = watch(env, minutes * 30, *words, size=SIZE, program="llmtop")
        paints = [
            (
                first_paint([command("llmtop"), *words], env, b"llmtop"),
                first_paint([command("tokentop")], env, b"tokentop"),
            )
            for _ in range(PAINTS)
        ]
    paint = median([our / their for their, our in paints])
    return f"{beside(ours, theirs)}, first paint ×{paint:.2f}"


def paint(kinds: Sequence[str] = ()) -> str:
    """The first picture against an empty Textual app's."""
    with world(kinds=kinds) as env:
        empty, ours = first_paints(env)
    ratio = median([b / a for a, b in zip(empty, ours, strict=True)])
    return f"×{ratio:.2f} ({median(ours) * 1e3:.0f} ms)"


@contextmanager
def settled(env: Mapping[str, str]) -> Iterator[Terminal]:
    """The app after three polls."""
    terminal = Terminal([command("tokentop")], dict(env), size=SIZE)
    try:
        terminal.read(SETTLE_S)
        yield terminal
    finally:
        terminal.close()


def views() -> str:
    """What each view's first opening sends, and what all of them leave in memory."""
    with world() as env, settled(env) as terminal:
        sent = [terminal.press(key)[0] for key in VIEWS]
        return f"{median(sent) / 1e3:.0f} kB each, {terminal.resident_mib():.1f} MiB with all open"


def help_page() -> str:
    """Help opened nine times, and closed."""
    found = []
    with world() as env, settled(env) as terminal:
        for _ in range(9):
            found.append(terminal.press(b"?", b"Keys"))
            terminal.press(b"\x1b")
    sent, took = (median([one[i] for one in found]) for i in (0, 1))
    return (
        f"{sent / 1e3:.0f} kB, {took * 1e3:.0f} ms (longest {max(f[1] for f in found) * 1e3:.0f})"
    )


def early_key() -> str:
    """From `q`, pressed while the app starts, to its end."""
    took = []
    with world() as env:
        for _ in range(9):
            terminal = Terminal([command("tokentop")], env, size=SIZE)
            time.sleep(EARLY_S)
            os.write(terminal.fd, b"q")
            terminal.read(20.0)  # until the program has ended
            took.append(time.monotonic() - terminal.started - EARLY_S)
            terminal.close()
    return f"{median(took) * 1e3:.0f} ms (longest {max(took) * 1e3:.0f})"


def many_in_app(count: int) -> str:
    """So many engines in the app."""
    with tempfile.TemporaryDirectory() as folder, engines(count, Path(folder)) as env:
        seen = edges.app(env, 4096, 5)
    if seen is None:
        return "not all of them within a minute"
    return f"{seen.cpu_s * 1e3:.0f} ms, {seen.resident_mib:.0f} MiB, {seen.descriptors} descriptors"


def many_in_json(count: int, descriptors: int) -> str:
    """So many engines in --json."""
    with tempfile.TemporaryDirectory() as folder, engines(count, Path(folder)) as env:
        seen = edges.one_shot(env, descriptors)
    return f"{seen.online} online, {seen.wall_s:.2f} s, {seen.cpu_s:.2f} s of CPU"


ROWS = (
    Row("`--compact`, 8 GPUs, seven services", "×0.55 of nvitop -1", lambda _: line()),
    Row("the same with three engines", "×0.65 of nvitop -1", lambda _: line(ENGINES)),
    Row("app, nothing moves", "0.4 %, 46 MiB, 40 B/s, 3 wakeups/s", stretch),
    Row("app, GPUs and services move", "0.6 %", lambda m: stretch(m, "moving")),
    Row("app, 32 engines", "1.3 %", lambda m: stretch(m, kinds=MANY)),
    Row("app, one vLLM / vllm-htop", "", beside_vllm_htop),
    Row("app, three engines / llmtop", "", beside_llmtop),
    Row("first paint / empty Textual app", "×1.15", lambda _: paint()),
    Row("the same with three engines", "×1.15", lambda _: paint(ENGINES)),
    Row("a view's first opening", "15 kB, 56 MiB with all", lambda _: views()),
    Row("help", "8 kB, 30 ms", lambda _: help_page()),
    Row("q in the first 0.1 s", "150 ms", lambda _: early_key()),
    Row("256 engines, CPU a poll", "200 ms, 80 MiB, 300", lambda _: many_in_app(256)),
    Row("1,000 engines, CPU a poll", "all shown", lambda _: many_in_app(1000)),
    Row("`--json`, 400 live engines", "all right in 1.5 s", lambda _: many_in_json(400, 1024)),
    Row("`--json`, 1,000, ulimit -n 64", "all right", lambda _: many_in_json(1000, 64)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    today = datetime.now(UTC).date()
    print(f"{today}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| what | measured | goal |\n|---|---|---|")
    for row in ROWS:
        if given.only in row.what:
            print(f"| {row.what} | {row.measure(given.minutes)} | {row.goal} |", flush=True)


if __name__ == "__main__":
    main()
