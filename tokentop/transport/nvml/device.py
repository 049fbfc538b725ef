"""One physical GPU with its MIG instances: facts once, figures at every poll."""

from typing import Any, NamedTuple

from tokentop.domain.readings import DeviceReading
from tokentop.domain.snapshot import GpuState, Process
from tokentop.transport.nvml.device_queries import DeviceQueries, Memory
from tokentop.transport.nvml.driver import GONE, UNINITIALIZED, Nvml, NvmlError
from tokentop.transport.nvml.power_state import address
from tokentop.transport.nvml.processes import GpuProcess, ProcessNames, largest

RECHECK_S = 60.0  # between two readings of what hardly changes: limit, MIG layout, refusals

_MPS_SERVER = "nvidia-cuda-mps-server"


class Wanted(NamedTuple):
    """What will be shown, and so what is read.

    Without `details` that is UUID, VRAM and utilisation: what one line needs. `addresses` are
    needed only to recognise a GPU that falls asleep.
    """

    details: bool = True
    addresses: bool = True


class Instance:
    """One MIG instance, as a child of its GPU."""

    def __init__(self, nvml: Nvml, handle: Any, *, details: bool) -> None:
        self.queries = ask = DeviceQueries(nvml, handle)
        self.gpu_instance: int | None = None
        self._facts = DeviceReading(uuid=ask.uuid())
        self._details = details
        if details:
            self.gpu_instance = ask.ask("nvmlDeviceGetGpuInstanceId")
            self._facts = self._facts._replace(name=ask.name())

    def read(
        self, parent: DeviceReading, processes: list[GpuProcess] | None, names: ProcessNames
    ) -> DeviceReading:
        """Its own memory; processes from its GPU's list, or its own where that is refused."""
        self.queries.new_poll(retry=False)
        memory, bad = _sane(self.queries.memory())
        if processes is not None:
            processes = [process for process in processes if process.instance == self.gpu_instance]
        elif self._details:
            processes = self.queries.processes("Compute")
        return self._facts._replace(
            index=parent.index,
            mig=parent.uuid,
            vram_used_bytes=memory.used,
            vram_total_bytes=memory.total,
            processes=_named(processes, names),
            bad=bad,
        )


class Device:
    """One GPU. `facts` holds what stays when it sleeps or is lost: name, UUID, total, limit."""

    def __init__(self, nvml: Nvml, handle: Any, index: int | None, wanted: Wanted) -> None:
        self.facts = DeviceReading(index=index)
        self.bus_id: str | None = None
        self._wanted = wanted
        self._queries = DeviceQueries(nvml, handle)
        self._instances: list[Instance] = []
        self._mig = False
        self._recheck_at: float | None = None

    def read(self, now: float, names: ProcessNames) -> list[DeviceReading]:
        """This GPU and then its MIG instances; raises NvmlError only for a driver shut down."""
        try:
            recheck = self._recheck_at is None or now >= self._recheck_at
            self._queries.new_poll(retry=recheck)
            if recheck:
                self._read_facts()
                self._recheck_at = now + RECHECK_S
            return self._figures(names)
        except NvmlError as refused:
            if refused.code not in GONE:
                raise
            return [self.without_figures("lost", self._queries.nvml.words(refused.code))]

    def without_figures(self, state: GpuState, note: str | None) -> DeviceReading:
        """The facts alone, for a GPU that is asleep or no longer answers."""
        return self.facts._replace(state=state, note=note)

    def _read_facts(self) -> None:
        ask = self._queries
        if self.facts.uuid is None:
            self.facts = self.facts._replace(uuid=ask.uuid())
            if self._wanted.details:
                self.facts = self.facts._replace(name=ask.name())
        if self._wanted.addresses and self.bus_id is None:
            self.bus_id = address(ask.bus_id() or "")
        if self._wanted.details:
            self.facts = self.facts._replace(power_limit_w=ask.power_limit_w())
        self._mig = ask.mig_mode()
        self._instances = self._find_instances() if self._mig else []

    def _find_instances(self) -> list[Instance]:
        found = []
        for slot in range(self._queries.ask("nvmlDeviceGetMaxMigDeviceCount") or 0):
            try:
                handle = self._queries.nvml.call(
                    "nvmlDeviceGetMigDeviceHandleByIndex", self._queries.handle, slot
                )
            except NvmlError as refused:
                if refused.code in GONE or refused.code == UNINITIALIZED:
                    raise
                continue  # an empty slot
            found.append(Instance(self._queries.nvml, handle, details=self._wanted.details))
        return found

    def _figures(self, names: ProcessNames) -> list[DeviceReading]:
        ask = self._queries
        memory, bad = _sane(ask.memory())
        self.facts = self.facts._replace(
            vram_total_bytes=memory.total or self.facts.vram_total_bytes,
            memory_shared=memory.shared,
        )
        whole = self.facts._replace(vram_used_bytes=memory.used, utilization=ask.utilization())
        processes = None
        if self._wanted.details:
            processes = self._processes(names)
            whole = self._with_details(whole, processes, names)
        whole = whole._replace(state="ok" if ask.answers else "error", note=ask.note(), bad=bad)
        return [whole, *self._children(whole, processes, names)]

    def _with_details(
        self, whole: DeviceReading, processes: list[GpuProcess] | None, names: ProcessNames
    ) -> DeviceReading:
        return whole._replace(
            temperature_c=self._queries.temperature_c(),
            power_w=self._queries.power_w(),
            processes=_named(_outside(processes, self._instances), names),
        )

    def _children(
        self, whole: DeviceReading, processes: list[GpuProcess] | None, names: ProcessNames
    ) -> list[DeviceReading]:
        readings = [instance.read(whole, processes, names) for instance in self._instances]
        if any(not instance.queries.answers for instance in self._instances):
            self._recheck_at = None  # an instance was destroyed: look again at the next poll
        return readings

    def _processes(self, names: ProcessNames) -> list[GpuProcess] | None:
        """Compute and graphics processes; a MIG GPU has no graphics."""
        processes = self._queries.processes("Compute")
        if self._mig:
            return processes
        if processes and any(names.process(process).name == _MPS_SERVER for process in processes):
            processes = processes + (self._queries.processes("MPSCompute") or [])
        graphics = self._queries.processes("Graphics")
        if processes is None or graphics is None:
            return processes if graphics is None else graphics
        return processes + graphics


def _outside(
    processes: list[GpuProcess] | None, instances: list[Instance]
) -> list[GpuProcess] | None:
    """The processes that no MIG instance shows as its own."""
    if processes is None:
        return None
    shown = {instance.gpu_instance for instance in instances}
    return [
        process
        for process in processes
        if process.instance is None or process.instance not in shown
    ]


def _named(processes: list[GpuProcess] | None, names: ProcessNames) -> tuple[Process, ...] | None:
    if processes is None:
        return None
    return tuple(names.process(process) for process in largest(processes))


def _sane(memory: Memory) -> tuple[Memory, tuple[str, ...]]:
    """Used can be no more than there is; what was clamped is named."""
    if memory.used is None or memory.total is None or memory.used <= memory.total:
        return memory, ()
    return memory._replace(used=memory.total), ("vram_used_bytes",)
