"""What the packages take that tokentop is made of, without tokentop: the least it could reach.

    python -m tests.benchmarks.floor [--minutes 0.5]

In one run, with eight GPUs and seven services where nothing moves: a Textual app with a clock;
httpx with the fifteen requests every 4 s and pynvml with seven figures of each GPU, on a thread,
without a screen; an empty Textual app with all these packages loaded; and the app. Where click is
installed, as developers have it, httpx loads its own command line, 3 MiB: here as in the app it
does not.
"""

import argparse
import json
import sys
from collections.abc import Mapping

from tests.benchmarks.screen import EMPTY_APP, Stretch, stretch
from tests.benchmarks.world import command, environ, fake_gpus, services
from tokentop.sources.aither.endpoints import ENDPOINTS, SERVICES

SIZE = (40, 120)
CLOCK = """
from time import strftime
from textual.app import App
from textual.widgets import Static
class Clock(App):
    def compose(self):
        yield Static("")
    def on_mount(self):
        self.set_interval(1.0, self.tick)
    def tick(self):
        self.query_one(Static).update(strftime("%H:%M:%S"))
Clock().run()
"""
PACKAGES = """
import sys
sys.modules["httpx._main"] = None
import httpx, pynvml, sqlite3
"""
POLLING = """
import asyncio, json
URLS = json.loads(sys.argv[1])
def gpus():
    for i in range(pynvml.nvmlDeviceGetCount()):
        gpu = pynvml.nvmlDeviceGetHandleByIndex(i)
        pynvml.nvmlDeviceGetMemoryInfo(gpu)
        pynvml.nvmlDeviceGetUtilizationRates(gpu)
        pynvml.nvmlDeviceGetTemperature(gpu, 0)
        pynvml.nvmlDeviceGetPowerUsage(gpu)
        pynvml.nvmlDeviceGetComputeRunningProcesses(gpu)
        pynvml.nvmlDeviceGetGraphicsRunningProcesses(gpu)
async def main():
    pynvml.nvmlInit()
    async with httpx.AsyncClient() as client:
        while True:
            asked = (client.get(url) for url in URLS)
            await asyncio.gather(asyncio.to_thread(gpus), *asked)
            await asyncio.sleep(4.0)
asyncio.run(main())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=0.5)
    seconds = 60 * parser.parse_args().minutes
    with services() as urls, fake_gpus() as gpus:
        env = environ(urls, gpus)
        asked = json.dumps(addresses(urls))
        for what, words in (
            ("a Textual app with a clock", ["-c", CLOCK]),
            ("httpx and pynvml alone", ["-c", PACKAGES + POLLING, asked]),
            ("all loaded, an empty screen", ["-c", PACKAGES + EMPTY_APP]),
        ):
            show(what, stretch([sys.executable, *words], env, seconds, SIZE))
        show("tokentop", stretch([command("tokentop")], env, seconds, SIZE))


def addresses(urls: Mapping[str, str]) -> list[str]:
    return [urls[SERVICES[one.service].env] + one.path for one in ENDPOINTS]


def show(what: str, seen: Stretch) -> None:
    print(
        f"{what:28} {seen.cpu:6.2%} of a core, {seen.wakeups_per_s:5.1f} wakeups/s, "
        f"{seen.after_mib:.1f} MiB"
    )


if __name__ == "__main__":
    main()
