"""Run in a process of its own: reads the GPUs step by step and prints what it got, as JSON.

Arguments: sysfs root, proc root, then one JSON list of steps. A step is {"now": seconds} to read,
{"scenario": file} to put another scenario in place of the running one, {"library": folder} to put
another library in place of the one that was found, {"sysfs": {address: status}} to let GPUs fall
asleep or wake, {"proc": {file: text}} to write files of the proc root.
"""

import json
import os
import queue
import shutil
import sys

from tokentop.domain.readings import Failure
from tokentop.domain.snapshot import Process
from tokentop.transport.nvml.answer import Answer
from tokentop.transport.nvml.thread import NvmlThread
from tokentop.transport.nvml.wanted import EVERYTHING, Wanted

LONG_S = 30.0


class Probe:
    """The real threads over the real pynvml, on a clock that the steps set."""

    def __init__(self, sysfs: str, proc: str) -> None:
        self.now = 0.0
        self.sysfs, self.proc = sysfs, proc
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.thread = NvmlThread(self.answers.put, clock=lambda: self.now, sysfs=sysfs, proc=proc)
        self.thread.start()
        self.wanted = EVERYTHING
        if (brief := os.environ.get("WANTED")) is not None:
            self.wanted = Wanted(*(name in brief for name in Wanted._fields))

    def take(self, step: dict) -> dict | None:
        if "now" in step:
            return plain(self.read(step["now"]))
        if "sysfs" in step:
            for address, status in step["sysfs"].items():
                path = f"{self.sysfs}/bus/pci/devices/{address}/power/runtime_status"
                with open(path, "w") as file:
                    file.write(status + "\n")
        for path, content in step.get("proc", {}).items():
            with open(f"{self.proc}/{path}", "w") as file:
                file.write(content)
        if "scenario" in step:
            replace(step["scenario"], os.environ["FAKE_NVML_SCENARIO"])
        if "library" in step:
            name = "libnvidia-ml.so.1"
            replace(f"{step['library']}/{name}", f"{os.environ['LD_LIBRARY_PATH']}/{name}")
        return None

    def read(self, now: float) -> Answer:
        self.now = now
        self.thread.poll(self.wanted)
        while not (answer := self.answers.get(timeout=LONG_S)).complete:
            pass
        return answer


def replace(source: str, target: str) -> None:
    shutil.copy(source, target + ".new")
    os.replace(target + ".new", target)


def plain(answer: Answer) -> dict:
    result = answer.result
    if isinstance(result, Failure):
        return {"failure": result._asdict(), "pynvml": "pynvml" in sys.modules}
    devices = [d._asdict() for d in result.devices]
    for device in devices:
        if device["processes"] is not None:
            device["processes"] = [_unfolded(p) for p in device["processes"]]
        if device["detail"] is not None:
            device["detail"] = device["detail"]._asdict()
    return {"driver": result.driver_version, "devices": devices, "pynvml": "pynvml" in sys.modules}


def _unfolded(process: Process) -> dict:
    detail = process.detail and process.detail._asdict()
    return {**process._asdict(), "detail": detail}


def main(sysfs: str, proc: str, steps: str) -> None:
    probe = Probe(sysfs, proc)
    print(json.dumps([answer for step in json.loads(steps) if (answer := probe.take(step))]))


if __name__ == "__main__":
    main(*sys.argv[1:])
