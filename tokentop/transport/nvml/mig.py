"""MIG instances: the parts of a split GPU, in the driver's order."""

from tokentop.domain.readings import DeviceReading
from tokentop.domain.snapshot import Process
from tokentop.light_typing import Any
from tokentop.transport.nvml.device_queries import DeviceQueries, Memory
from tokentop.transport.nvml.driver import GONE, RESTART, Nvml, NvmlError
from tokentop.transport.nvml.processes import GpuProcess, ProcessNames, largest


class Instance:
    """One MIG instance, as a child of its GPU; `slot` is its place in the driver's list."""

    def __init__(self, nvml: Nvml, handle: Any, slot: int) -> None:
        self.queries = ask = DeviceQueries(nvml, handle)
        self.facts = DeviceReading(
            uuid=ask.uuid(),
            name=ask.name(),
            mig_gi=ask.ask("nvmlDeviceGetGpuInstanceId"),
            mig_ci=ask.ask("nvmlDeviceGetComputeInstanceId"),
            mig_slot=slot,
        )

    def read(
        self, parent: DeviceReading, processes: list[GpuProcess] | None, names: ProcessNames
    ) -> DeviceReading:
        """Its own memory; processes from its GPU's list, or its own where that is refused."""
        self.queries.new_poll(retry=False)
        memory, bad = sane(self.queries.memory())
        if processes is None:
            processes = self.queries.processes("Compute")
        else:
            processes = [process for process in processes if self.runs(process)]
        return self.of(parent)._replace(
            vram_used_bytes=memory.used,
            vram_total_bytes=memory.total,
            processes=named(processes, names),
            bad=bad,
        )

    def of(self, parent: DeviceReading) -> DeviceReading:
        """What is known of it without a call."""
        return self.facts._replace(index=parent.index, mig=parent.uuid)

    def runs(self, process: GpuProcess) -> bool:
        """Whether the process is in this instance."""
        return process.instance == (self.facts.mig_gi, self.facts.mig_ci)


def find_instances(queries: DeviceQueries) -> list[Instance]:
    """The instances of a GPU; raises NvmlError as the queries do."""
    found = []
    for slot in range(queries.ask("nvmlDeviceGetMaxMigDeviceCount") or 0):
        try:
            handle = queries.nvml.call("nvmlDeviceGetMigDeviceHandleByIndex", queries.handle, slot)
        except NvmlError as refused:
            if refused.code in GONE or refused.code in RESTART:
                raise
            continue  # an empty slot
        found.append(Instance(queries.nvml, handle, slot))
    return found


def outside(
    processes: list[GpuProcess] | None, instances: list[Instance]
) -> list[GpuProcess] | None:
    """The processes that no MIG instance shows as its own."""
    if processes is None:
        return None
    return [one for one in processes if not any(instance.runs(one) for instance in instances)]


def named(processes: list[GpuProcess] | None, names: ProcessNames) -> tuple[Process, ...] | None:
    """The largest processes with their names and users."""
    if processes is None:
        return None
    return tuple(names.process(process) for process in largest(processes))


def sane(memory: Memory) -> tuple[Memory, tuple[str, ...]]:
    """Used can be no more than there is; what was clamped is named."""
    if memory.used is None or memory.total is None or memory.used <= memory.total:
        return memory, ()
    return memory._replace(used=memory.total), ("vram_used_bytes",)
