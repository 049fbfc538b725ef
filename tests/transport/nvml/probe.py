"""Run in a process of its own: reads the GPUs step by step and prints what it got, as JSON.

Arguments: sysfs root, proc root, then one JSON list of steps. A step is {"now": seconds} to read,
{"scenario": file} to put another scenario in place of the running one, {"sysfs": {address:
status}} to let GPUs fall asleep or wake.
"""

import json
import os
import shutil
import sys

from tokentop.domain.readings import Failure
from tokentop.transport.nvml.reader import Reader


def main(sysfs: str, proc: str, steps: str) -> None:
    reader = Reader(details="FAKE_NVML_BRIEF" not in os.environ, sysfs=sysfs, proc=proc)
    print(
        json.dumps([answer for step in json.loads(steps) if (answer := take(step, reader, sysfs))])
    )


def take(step: dict, reader: Reader, sysfs: str) -> dict | None:
    if "scenario" in step:
        running = os.environ["FAKE_NVML_SCENARIO"]
        shutil.copy(step["scenario"], running + ".new")
        os.replace(running + ".new", running)
        return None
    if "sysfs" in step:
        for address, status in step["sysfs"].items():
            with open(f"{sysfs}/bus/pci/devices/{address}/power/runtime_status", "w") as file:
                file.write(status + "\n")
        return None
    return plain(reader.read(step["now"]))


def plain(answer: object) -> dict:
    if isinstance(answer, Failure):
        return {"failure": answer._asdict(), "pynvml": "pynvml" in sys.modules}
    devices = [d._asdict() for d in answer.devices]
    for device in devices:
        if device["processes"] is not None:
            device["processes"] = [p._asdict() for p in device["processes"]]
    return {"driver": answer.driver_version, "devices": devices, "pynvml": "pynvml" in sys.modules}


if __name__ == "__main__":
    main(*sys.argv[1:])
