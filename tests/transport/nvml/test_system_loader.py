"""What the program loads while the driver's library is being loaded, and while that hangs.

The system's loader has one lock, and Python waits for it with its own lock held.
"""

import json
import subprocess
import sys
from pathlib import Path
from time import monotonic

import pytest

from tests.cli.command import TOKENTOP, environment, in_terminal
from tests.cli.engines import LLAMACPP, VLLM, answer, captured, configuration
from tests.fake_nvml import FakeNvml
from tests.payloads import payload
from tests.servers.certificates import private_ca
from tests.servers.loopback import Server

BESIDE = (sys.executable, "-m", "tests.cli.beside_the_driver")
GUARD = """
import os, sys, threading, time
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec
from tokentop.transport.nvml import shared_library
from tokentop.transport.nvml.calls import Calls

def is_extension(name):
    spec = find_spec(name)
    return spec is not None and isinstance(spec.loader, ExtensionFileLoader)

lazy = [name for name in ("_lsprof", "_csv", "_zoneinfo", "_statistics", "_crypt", "termios")
        if name not in sys.modules and is_extension(name)]
before = ExtensionFileLoader.create_module
ticks = []
def tick():
    while True:
        ticks.append(1)
        time.sleep(0.005)
threading.Thread(target=tick, daemon=True).start()
threading.Thread(target=shared_library.load, args=[Calls(time.monotonic)], daemon=True).start()
while not shared_library.is_loading():
    time.sleep(0.001)
began, ticked = time.monotonic(), len(ticks)
for name in lazy[:2]:
    try:
        __import__(name)
    except ImportError as error:
        print(error)
assert len(ticks) - ticked > 5, "the other threads stood still"
assert time.monotonic() - began < 1.5, "each import waited"
threading.Timer(0.05, os.unlink, [os.environ["FAKE_NVML_LOAD_HANG"]]).start()
while shared_library.is_loading():
    time.sleep(0.001)
print(type(__import__(lazy[0])).__name__, ExtensionFileLoader.create_module is before)
"""


@pytest.fixture
def hanging(fake_nvml: FakeNvml, tmp_path: Path) -> dict[str, str]:
    """An environment whose driver's library hangs in loading, without a stack."""
    flag = tmp_path / "hang"
    flag.touch()
    found = environment(**fake_nvml.env("eight"), FAKE_NVML_LOAD_HANG=str(flag))
    return {name: value for name, value in found.items() if not name.endswith("_URL")}


def test_an_import_beside_it_fails_and_stops_no_thread(hanging: dict[str, str]) -> None:
    """It fails twice within one patience, and succeeds once the library is there."""
    done = subprocess.run(
        [sys.executable, "-c", GUARD], env=hanging, capture_output=True, text=True, timeout=20
    )
    refused = "nothing can be loaded beside the NVIDIA driver's library, whose loading hangs"
    assert done.stdout.splitlines() == [refused, refused, "module True"], done.stderr


def test_engines_are_asked_beside_it(hanging: dict[str, str], tmp_path: Path) -> None:
    """By HTTP and by TLS, whose modules are loaded before the driver's library."""
    pages = {path: payload(name) for path, name in LLAMACPP.items()}
    bundle = private_ca().bundle(tmp_path)
    with (
        captured(VLLM) as plain,
        Server(lambda asked: answer(asked, pages), tls=private_ca().good) as secure,
    ):
        more = f'[tls]\nca_bundle = "{bundle}"'
        config = Path(configuration(tmp_path, plain.url, secure.url, more=more))
        config.write_text(f"deadline = 1.5\n{config.read_text()}")
        done = subprocess.run(
            [*BESIDE, TOKENTOP, "--json", "--config", str(config)],
            env=hanging, capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    engines = json.loads(done.stdout)["engines"]
    assert [one["state"] for one in engines] == ["online", "online"], engines


def test_the_full_screen_beside_it(hanging: dict[str, str], tmp_path: Path) -> None:
    """It shows the engine, says what the driver is at, and ends at once."""
    with captured(VLLM) as plain:
        words = ("--config", configuration(tmp_path, plain.url))
        with in_terminal(*words, env=hanging, columns=120, wrapper=BESIDE) as terminal:
            terminal.until("tiny-llama")
            began = monotonic()
            terminal.press("q")
            assert terminal.end() == 0
            assert monotonic() - began < 2
