"""How many small mistakes in domain/ and sources/ the tests notice.

    python -m tests.benchmarks.mutants [--sample 150] [--seed 1] [--only PATH[:LINE] ...] [--list]

Each mutant is tested in a temporary copy of the tree, by the test files that run the changed line
(as coverage.py saw it before anything was changed), the nearest ones first; a line that runs while
modules are imported, by those that run any line of its module. Exits 1 where fewer than 85 % are
killed.
"""

import argparse
import difflib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from coverage import CoverageData

from tests.benchmarks.mutations import Mutation, mutations

ROOT = Path(__file__).parents[2]
ROOMS = ("tokentop/domain", "tokentop/sources")
COPIED = ("tokentop", "tests", "pyproject.toml", "README.md", "CONTRIBUTING.md", ".importlinter")
TESTS = (  # those that may notice; the screen's own and the network's are left out
    "tests/domain",
    "tests/sources",
    "tests/collect",
    "tests/domain/test_snapshot_json.py",
    "tests/views/test_line.py",
    "tests/views/test_agreement.py",
    "tests/views/test_doctor.py",
    "tests/config",
    "tests/views/draw/test_goldens.py",
    "tests/views/draw/test_engines.py",
    "tests/views/draw/test_panels.py",
)
PYTEST = (  # a busy machine must not fail a test: that would look like a mutant killed
    "-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "mutants_plugin", "-k", "not linear",
    "--hypothesis-seed=0", "--hypothesis-profile=mutants",
)  # fmt: skip
COVERAGE = """\
[run]
source = tokentop/domain, tokentop/sources
data_file = reach
"""
PLUGIN = '''\
import gc
from functools import _lru_cache_wrapper

from coverage import Coverage
from hypothesis import HealthCheck, settings

settings.register_profile("mutants", deadline=None, suppress_health_check=list(HealthCheck))
known = [""]

def pytest_runtest_logstart(nodeid, location):
    """At each test file: forget what was computed before, so that it runs for this file as well."""
    file = nodeid.partition("::")[0]
    if Coverage.current() is not None and file != known[0]:
        known[0] = file
        for each in gc.get_objects():
            if isinstance(each, _lru_cache_wrapper):
                if each.__module__.startswith(("tokentop", "tests")):
                    each.cache_clear()
        Coverage.current().switch_context(file)
'''
LIMIT_S = 600.0  # of one run of pytest: a mutant that loops for ever is killed by it
WORKERS = 2
WANTED = 0.85


class Mutant(NamedTuple):
    path: str
    edit: Mutation

    def __str__(self) -> str:
        return f"{self.path}:{self.edit.line} ({self.edit.what})"


class Outcome(NamedTuple):
    mutant: Mutant
    verdict: str  # killed, timeout or survived
    seconds: float
    changed: str  # the lines before and after


class Copy:
    """A temporary copy of the tree, in which one mutant at a time is written and tested."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = 0
        self.printed = ""
        for name in COPIED:
            _copy(ROOT / name, folder / name)
        (folder / "mutants_plugin.py").write_text(PLUGIN)
        (folder / ".coveragerc").write_text(COVERAGE)

    def test(self, mutant: Mutant, tests: Sequence[str]) -> Outcome:
        started = time.monotonic()
        path = self.folder / mutant.path
        original, stat = path.read_bytes(), path.stat()
        self.written += 1
        path.write_bytes(mutant.edit.apply(original))
        # a second of its own, or Python would take an earlier mutant's byte code for this one's
        os.utime(path, (stat.st_atime, stat.st_mtime + 2 * self.written))
        try:
            verdict = self._verdict(tests)
        finally:
            path.write_bytes(original)
            os.utime(path, (stat.st_atime, stat.st_mtime))
        return Outcome(mutant, verdict, time.monotonic() - started, lines(mutant, original))

    def _verdict(self, tests: Sequence[str]) -> str:
        try:
            return "killed" if tests and self.pytest(tests) != 0 else "survived"
        except subprocess.TimeoutExpired:
            return "timeout"

    def pytest(self, tests: Sequence[str], *under: str) -> int:
        """pytest's exit status over some paths, without what an earlier mutant left behind."""
        shutil.rmtree(self.folder / ".hypothesis", ignore_errors=True)
        command = (sys.executable, *under, "-m", "pytest", *PYTEST, *tests)
        done = subprocess.run(command, cwd=self.folder, capture_output=True, timeout=LIMIT_S)
        self.printed = done.stdout.decode()
        if done.returncode not in (0, 1, 2):  # 2: a module could not even be imported
            sys.exit(f"pytest could not run: {self.printed[-2000:]}")
        return done.returncode

    def package(self) -> str:
        """Where the tests of this copy import tokentop from."""
        command = (sys.executable, "-c", "import tokentop; print(tokentop.__path__[0])")
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True).stdout


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


class Reach:
    """Which test files run which lines."""

    def __init__(self, copy: Copy) -> None:
        """Runs all TESTS once under coverage.py; they must pass while nothing is changed."""
        if not copy.package().startswith(str(copy.folder)):
            sys.exit(f"the tests would import tokentop from {copy.package()}")
        if copy.pytest(TESTS, "-m", "coverage", "run") != 0:
            sys.exit(f"the tests fail before anything is changed:\n{copy.printed[-2000:]}")
        self._folder = copy.folder
        self._data = CoverageData(str(copy.folder / "reach"))
        self._data.read()

    def tests(self, mutant: Mutant) -> list[str]:
        """The files that may notice a mutant; every one where its module only defines values."""
        by_line = self._data.contexts_by_lineno(str(self._folder / mutant.path))
        files = set(by_line.get(mutant.edit.line, ()))
        if not files or "" in files:  # it runs while modules are imported, or examples made
            files = {file for found in by_line.values() for file in found}
        files = files - {""} or set(TESTS)  # nothing but definitions: every test may notice
        return sorted(files, key=lambda file: (_distance(file, mutant.path), file))


def _distance(test: str, path: str) -> int:
    """How far a test file stands from a source file: folders that are not shared."""
    one, other = Path(test).parts[1:-1], Path(path).parts[1:-1]
    shared = sum(1 for pair in zip(one, other, strict=False) if len(set(pair)) == 1)
    return len(one) + len(other) - 2 * shared


def mutants(only: Sequence[str] = ()) -> Iterator[Mutant]:
    """Every mutant of the rooms, or of some folders, files or lines (FILE:LINE) of them."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            wanted = [each for each in only or [room] if name.startswith(each.partition(":")[0])]
            for edit in mutations(path.read_bytes()) if wanted else ():
                if any(each.partition(":")[2] in ("", str(edit.line)) for each in wanted):
                    yield Mutant(name, edit)


def lines(mutant: Mutant, source: bytes) -> str:
    """The lines that a mutant changes, before and after."""
    before, after = (text.decode().splitlines() for text in (source, mutant.edit.apply(source)))
    changed = list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]
    return "\n".join(f"    {line}" for line in changed if not line.startswith("@@"))


def run(sample: Sequence[Mutant], folder: Path) -> Iterator[Outcome]:
    """Outcomes as they come, two mutants at a time."""
    copies: SimpleQueue[Copy] = SimpleQueue()
    for n in range(WORKERS):
        copies.put(Copy(folder / str(n)))
    first = copies.get()
    reach = Reach(first)
    copies.put(first)

    def one(mutant: Mutant) -> Outcome:
        copy = copies.get()
        try:
            return copy.test(mutant, reach.tests(mutant))
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(WORKERS) as pool:
        yield from pool.map(one, sample)


def report(outcomes: Iterator[Outcome], count: int) -> int:
    counts = dict.fromkeys(("killed", "timeout", "survived"), 0)
    for n, outcome in enumerate(outcomes, 1):
        counts[outcome.verdict] += 1
        print(f"{n:4}/{count} {outcome.verdict:8} {outcome.seconds:5.1f} s  {outcome.mutant}")
        if outcome.verdict == "survived":
            print(outcome.changed)
        sys.stdout.flush()
    share = 1 - counts["survived"] / count
    print(", ".join(f"{name} {number}" for name, number in counts.items()), f"= {share:.1%} killed")
    return 0 if share >= WANTED else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sample", type=int, default=150, help="how many mutants to test")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--only", nargs="*", default=(), help="folders, files, or FILE:LINE")
    parser.add_argument("--list", action="store_true", help="print the sample, test nothing")
    return parser.parse_args()


def main() -> int:
    wanted = arguments()
    every = list(mutants(wanted.only))
    sample = random.Random(wanted.seed).sample(every, min(wanted.sample, len(every)))
    print(f"{len(sample)} of {len(every)} mutants, seed {wanted.seed}", flush=True)
    if wanted.list:
        for mutant in sample:
            print(mutant, lines(mutant, (ROOT / mutant.path).read_bytes()), sep="\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return report(run(sample, Path(folder)), len(sample))


if __name__ == "__main__":
    sys.exit(main())
