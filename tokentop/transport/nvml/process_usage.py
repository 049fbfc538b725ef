"""What a process takes: SM time from the driver; CPU, memory, age and command line from /proc."""

import os
from collections.abc import Mapping

from tokentop.domain.command_line import shown_command
from tokentop.domain.gpu_detail import ProcessDetail
from tokentop.transport import procfs
from tokentop.transport.nvml.device_queries import DeviceQueries

_LEAST_S = 0.2  # between two readings of CPU time that make a share
_MAX_COMMAND = 4096  # bytes


class SmUsage:
    """Each process's share of one GPU's SMs, by pid."""

    def __init__(self, ask: DeviceQueries) -> None:
        self._ask = ask
        self._newest_us = 0

    def read(self) -> Mapping[int, float]:
        """The shares 0-1 since the last reading; empty where no process computed, or none is told.

        A sample above 100 is the driver's own mistake, which it makes; such a one is left out.
        """
        samples = self._ask.samples("nvmlDeviceGetProcessUtilization", self._newest_us)
        found: dict[int, float] = {}
        for sample in samples:
            self._newest_us = max(self._newest_us, int(sample.timeStamp))
            if sample.smUtil <= 100:
                found[int(sample.pid)] = max(found.get(sample.pid, 0.0), sample.smUtil / 100)
        return found


class ProcessUsage:
    """CPU share, memory, age and command of this host's processes. Call it on any thread."""

    def __init__(self, proc: str = "/proc") -> None:
        self._proc = proc
        self._ticks_per_s = os.sysconf("SC_CLK_TCK")
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._known: dict[tuple[int, int], _Known] = {}  # by pid and start
        self._before: dict[tuple[int, int], _Known] = {}

    def read(self, pid: int) -> ProcessDetail | None:
        """The process as it is now; None where /proc has none of it.

        Its CPU share is known from the second reading on. One that is on several GPUs is read
        once a poll.
        """
        found = procfs.usage(self._proc, pid)
        if found is None:
            return None
        key = (pid, found.started)
        known = self._known.get(key) or self._before.get(key)
        known = known or _Known(self._command(pid, found.state))
        self._known[key] = known
        uptime_s = procfs.uptime_s(self._proc)
        age_s = None if uptime_s is None else uptime_s - found.started / self._ticks_per_s
        return ProcessDetail(
            cpu=known.share(found.cpu_ticks / self._ticks_per_s, uptime_s),
            memory_bytes=found.resident_pages * self._page,
            age_s=None if age_s is None else max(0.0, age_s),
            command=known.command,
            started=found.started,
        )

    def forget(self) -> None:
        """Drop the processes that have not been read since the last call."""
        self._before, self._known = self._known, {}

    def _command(self, pid: int, state: str) -> str | None:
        argv = procfs.argv(self._proc, pid, state, _MAX_COMMAND)
        return shown_command(argv) or None


class _Known:
    """One process: its command, and its CPU seconds when it was read last."""

    def __init__(self, command: str | None) -> None:
        self.command = command
        self._cpu_s: float | None = None
        self._at = 0.0
        self._share: float | None = None

    def share(self, cpu_s: float, now: float | None) -> float | None:
        """CPU seconds a second since the last reading; `now` is the machine's uptime."""
        if now is None:
            return None
        if self._cpu_s is not None:
            passed = now - self._at
            if passed < _LEAST_S:
                return self._share
            self._share = max(0.0, cpu_s - self._cpu_s) / passed
        self._cpu_s, self._at = cpu_s, now
        return self._share
