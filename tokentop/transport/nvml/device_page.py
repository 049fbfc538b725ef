"""What a program that stays asks of one GPU beyond its figures: throttling, Xid errors, the page.

Loaded at a GPU's second reading: what prints one line and leaves does without.
"""

from collections.abc import Mapping, Sequence

from tokentop.domain.gpu_detail import ProcessDetail
from tokentop.domain.readings import DeviceReading
from tokentop.domain.snapshot import Process
from tokentop.transport.nvml.device_queries import DeviceQueries
from tokentop.transport.nvml.hardware import Hardware, throttle_reasons
from tokentop.transport.nvml.process_usage import ProcessUsage, SmUsage
from tokentop.transport.nvml.xid_events import KEPT, XidEvents


class DevicePage:
    """One handle's hardware figures, events and process shares; made anew with the handle."""

    def __init__(self, ask: DeviceQueries) -> None:
        self._ask = ask
        self._hardware = Hardware(ask)
        self._events = XidEvents(ask)
        self._sm = SmUsage(ask)

    def xids(
        self, known: tuple[tuple[int, float], ...], now: float
    ) -> tuple[tuple[int, float], ...]:
        """The errors known before and those that have come since, each with its time."""
        found = tuple((code, now) for code in self._events.new())
        return (known + found)[-KEPT:] if found else known

    def with_throttle(self, whole: DeviceReading) -> DeviceReading:
        """The reading with what holds the clocks down."""
        return whole._replace(throttle=throttle_reasons(self._ask))

    def detailed(self, rows: Sequence[DeviceReading], usage: ProcessUsage) -> list[DeviceReading]:
        """The GPU with clocks, links, fan and ECC, and its MIG instances behind it.

        Each process has its shares, memory and command.
        """
        sm = self._sm.read()
        whole, *instances = rows
        whole = whole._replace(detail=self._hardware.read())
        return [_with_usage(row, usage, sm) for row in (whole, *instances)]


def _with_usage(row: DeviceReading, usage: ProcessUsage, sm: Mapping[int, float]) -> DeviceReading:
    processes = [_detailed(one, usage, sm.get(one.pid)) for one in row.processes or ()]
    return row._replace(processes=tuple(processes)) if processes else row


def _detailed(process: Process, usage: ProcessUsage, sm: float | None) -> Process:
    """A process of another container has shares of the GPU, and nothing in this /proc."""
    found = usage.read(process.pid) or ProcessDetail()
    return process._replace(detail=found._replace(sm=sm))
