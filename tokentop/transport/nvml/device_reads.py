"""The reads of all GPUs: which are under way, which are stuck, and what each gave last."""

from collections.abc import Callable
from functools import partial

from tokentop.domain.readings import DeviceReading, GpusReading
from tokentop.transport.nvml.calls import Calls, Step
from tokentop.transport.nvml.device import Device
from tokentop.transport.nvml.driver import NvmlError
from tokentop.transport.nvml.reader import Plan, Reader
from tokentop.transport.nvml.wanted import Wanted
from tokentop.transport.nvml.words import hung
from tokentop.transport.nvml.workers import Task, Workers

_NOT_YET = "not read yet"


class _Read:
    """One GPU's reads: the task under way, given up or not, and the last result.

    `at` is when that came, `took_s` how long after it was asked for.
    """

    def __init__(self) -> None:
        self.task: Task | None = None
        self.asked_at = 0.0
        self.given_up = False
        self.readings: list[DeviceReading] | None = None
        self.at: float | None = None
        self.took_s = 0.0
        self.refused: NvmlError | None = None

    @property
    def under_way(self) -> bool:
        return self.task is not None and not self.task.done


class DeviceReads:
    """Reads every GPU of a plan on the workers; `clock` gives monotonic seconds."""

    def __init__(
        self, reader: Reader, workers: Workers, calls: Calls, clock: Callable[[], float]
    ) -> None:
        self._reader = reader
        self._workers = workers
        self._calls = calls
        self._clock = clock
        self._plan = Plan()
        self._reads: dict[Device, _Read] = {}

    @property
    def calm(self) -> bool:
        """Whether no call about a GPU is under way."""
        return not any(read.under_way for read in self._reads.values())

    def begin(self, plan: Plan, now: float, wanted: Wanted) -> None:
        """Read the plan's GPUs, but for those whose last read is still under way."""
        self.take()  # a GPU that hung and has come back since is read again now
        self._plan = plan
        self._reads = {device: self._reads.get(device) or _Read() for device in plan.devices}
        due = [(device, read) for device, read in self._reads.items() if read.task is None]
        works = [partial(self._reader.read, device, now, wanted) for device, _ in due]
        asked_at = self._clock()
        for (_, read), task in zip(due, self._workers.submit_all(works), strict=True):
            read.task, read.asked_at, read.given_up = task, asked_at, False

    def wait(self, seconds: float) -> bool:
        """Wait for the reads, at most `seconds`; whether each is done or given up."""
        reads = [read for read in self._reads.values() if read.task and not read.given_up]
        tasks = [read.task for read in reads if read.task]
        settled = self._workers.wait(tasks, seconds)
        if settled:
            self._workers.cancel(tasks)
        for read in reads:
            read.given_up = read.task is not None and self._workers.is_stuck(read.task)
        return settled

    def take(self) -> bool:
        """Take over what has been read since; whether there is anything."""
        finished = [
            (device, read)
            for device, read in self._reads.items()
            if read.task is not None and read.task.done
        ]
        for device, read in finished:
            self._take(device, read)
        return bool(finished)

    @property
    def latency_s(self) -> float:
        """How long the slowest GPU's last reading took, its wait for the others included."""
        return max((read.took_s for read in self._reads.values()), default=0.0)

    @property
    def any_known(self) -> bool:
        """Whether any GPU has been read, or given up, or none is to be read."""
        reads = self._reads.values()
        return not reads or any(read.readings or read.refused or read.given_up for read in reads)

    def refusal(self) -> NvmlError | None:
        """Why the driver has to be started anew, if it has to."""
        return next((read.refused for read in self._reads.values() if read.refused), None)

    def fresh(self) -> list[DeviceReading]:
        """The last results alone, without what is said of GPUs that hang."""
        return [one for read in self._reads.values() for one in read.readings or ()]

    def reading(self) -> GpusReading:
        """All GPUs as far as they are known now."""
        rows = [row for device in self._reads for row in self._rows(device)]
        rows += self._plan.asleep
        rows += self._reader.missing(rows)
        rows.sort(key=lambda r: (r.index is None, r.index or 0, r.mig is not None))
        return GpusReading(tuple(rows), self._plan.driver_version)

    def step(self) -> Step | None:
        """What has lasted the longest of all that is under way."""
        steps = [self._workers.step(read.task) for read in self._reads.values() if read.task]
        known = [step for step in steps if step is not None]
        return min(known, key=lambda step: step.since, default=None)

    def _take(self, device: Device, read: _Read) -> None:
        task, read.task = read.task, None
        if task is None or read.given_up or task.cancelled:
            return  # its figures are from before it hung
        if isinstance(task.error, NvmlError):
            read.refused = task.error
            return
        read.refused, read.at = None, self._clock()
        read.took_s = read.at - read.asked_at
        if isinstance(task.result, list):
            read.readings = task.result
            self._reader.learn(device)
        else:
            why = f"reading it failed: {type(task.error).__name__}"
            read.readings = device.without_figures("error", why)

    def _rows(self, device: Device) -> list[DeviceReading]:
        read = self._reads[device]
        if device.is_foreign:
            return []
        if read.refused is not None:
            return device.without_figures("error", self._reader.words(read.refused))
        step = self._workers.step(read.task) if read.task else None
        if read.given_up and step is not None:
            return device.without_figures("lost", hung(step, self._calls))
        if read.readings is None or read.at is None:
            return device.without_figures("stale", _NOT_YET)
        age_s = max(0.0, self._clock() - read.at)
        return [reading._replace(age_s=age_s) for reading in read.readings]
