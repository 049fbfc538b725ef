"""Run in a process of its own: prints, as JSON, each light call's answer beside pynvml's.

Arguments: files of scenarios, played one after the other. An answer is a value, or the NVML code of
a refusal as {"refused": code}.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pynvml

from tokentop.transport.nvml.calls import Calls
from tokentop.transport.nvml.light_calls import LIGHT_CALLS, Refused
from tokentop.transport.nvml.shared_library import load

FIELDS = ("total", "used", "free", "gpu", "memory")
PROCESS = ("pid", "usedGpuMemory", "gpuInstanceId", "computeInstanceId")
LIBRARY = load(Calls(lambda: 0.0))
ADDRESS = "00000000:01:00.0"


def plain(answer: Any) -> Any:
    """Structures as the figures that they hold, a handle as none."""
    if isinstance(answer, list):
        return [[getattr(one, name) for name in PROCESS] for one in answer]
    if answer is None or isinstance(answer, int | str):
        return answer
    return [getattr(answer, name, None) for name in FIELDS]


def answer(function: Callable[..., Any], *arguments: object) -> Any:
    try:
        return plain(function(*arguments))
    except (Refused, pynvml.NVMLError) as refused:
        return {"refused": refused.value}
    except UnicodeDecodeError:
        return "not a text"


def beside(name: str, *arguments: object) -> list[Any]:
    light, theirs = LIBRARY.function(name), getattr(pynvml, name)
    return [name, answer(light, *arguments), answer(theirs, *arguments)]


def of_a_device(handle: object) -> Iterator[list[Any]]:
    for name in LIGHT_CALLS:
        if name.startswith("nvmlDevice") and "Handle" not in name and "Count" not in name:
            yield beside(name, handle)
    yield beside("nvmlDeviceGetMemoryInfo", handle, pynvml.nvmlMemory_v2)


def play(scenario: str) -> Iterator[list[Any]]:
    """Both shut down first, so that the library reads the scenario as a fresh start does."""
    running = os.environ["FAKE_NVML_SCENARIO"]
    shutil.copy(scenario, running + ".new")
    os.replace(running + ".new", running)
    yield beside("nvmlInit")
    yield beside("nvmlDeviceGetCount")
    for find, places in (("Index", range(65)), ("PciBusId", (ADDRESS, "nowhere"))):
        name = f"nvmlDeviceGetHandleBy{find}"
        for place in places:
            row = beside(name, place)
            yield row
            if "refused" not in row[1]:
                yield from of_a_device(LIBRARY.function(name)(place))
    yield beside("nvmlShutdown")
    yield beside("nvmlShutdown")


def main(scenarios: list[str]) -> None:
    LIBRARY.function("nvmlDeviceGetName")  # from here on pynvml works on the same library
    print(json.dumps({scenario: list(play(scenario)) for scenario in scenarios}))


if __name__ == "__main__":
    main(sys.argv[1:])
