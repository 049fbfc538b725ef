"""One physical GPU with its MIG instances: its handle and facts once, figures at every poll."""

from tokentop.domain.readings import DeviceReading
from tokentop.domain.snapshot import GpuState, Process
from tokentop.light_typing import TYPE_CHECKING
from tokentop.transport.nvml.device_queries import DeviceQueries
from tokentop.transport.nvml.driver import GONE, NOT_FOUND, RESTART, Nvml, NvmlError
from tokentop.transport.nvml.mig import Instance, find_instances, named, outside, sane
from tokentop.transport.nvml.power_state import address
from tokentop.transport.nvml.processes import GpuProcess, ProcessNames
from tokentop.transport.nvml.wanted import Wanted

if TYPE_CHECKING:  # loaded where it is wanted: one line does without
    from tokentop.transport.nvml.device_page import DevicePage

RECHECK_S = 60.0  # between two readings of what hardly changes: limit, MIG layout, refusals

_MPS_SERVER = "nvidia-cuda-mps-server"


class Device:
    """One GPU by its index or its PCI address.

    `facts` hold what stays when it sleeps or is lost: name, UUID, total, limit. `known` is what
    an earlier start of NVML found there, itself and its MIG instances, until it says who it is.
    """

    def __init__(self, nvml: Nvml, place: int | str, known: tuple[DeviceReading, ...]) -> None:
        self.facts = DeviceReading(index=known[0].index)
        self.bus_id = place if isinstance(place, str) else None
        self._nvml = nvml
        self._place = place
        self._known = known
        self._queries: DeviceQueries | None = None
        self._refusal: NvmlError | None = None
        self._instances: list[Instance] = []
        self._mig = False
        self._recheck_at: float | None = None
        self._detailed = False
        self._page: DevicePage | None = None
        self._read_before = False

    @property
    def is_foreign(self) -> bool:
        """Whether another driver than NVIDIA's holds the GPU at this address."""
        return self._refusal is not None and self._refusal.code == NOT_FOUND

    def read(
        self, now: float, names: ProcessNames, wanted: Wanted, *, addresses: bool
    ) -> list[DeviceReading]:
        """This GPU and then its MIG instances; raises NvmlError only for a driver to restart.

        With `addresses` its PCI address is found out as well, which tells when it sleeps.
        """
        recheck = self._is_due(now, wanted)
        try:
            ask = self._opened(retry=recheck)
            ask.new_poll(retry=recheck)
            self._take_events(now, wanted)
            if recheck:
                self._read_facts(ask, wanted, addresses=addresses)
                self._recheck_at, self._detailed = now + RECHECK_S, wanted.details
            return self._figures(ask, names, wanted)
        except NvmlError as refused:
            if refused.code in RESTART:
                raise
            if self._queries is None:
                self._recheck_at = now + RECHECK_S
            state: GpuState = "lost" if refused.code in GONE else "error"
            return self.without_figures(state, self._nvml.words(refused.code))

    def without_figures(self, state: GpuState, note: str | None) -> list[DeviceReading]:
        """The facts alone, of a GPU that is asleep, no longer answers, or has not answered yet."""
        whole, *parts = self._known
        if self.facts.uuid is not None:
            whole, parts = self.facts, [one.of(self.facts) for one in self._instances]
        return [whole._replace(state=state, note=note), *(p._replace(state=state) for p in parts)]

    def _take_events(self, now: float, wanted: Wanted) -> None:
        """Before the figures: a GPU that is lost gives none, and its Xid is why."""
        if self._page is None and wanted.details and self._read_before:
            from tokentop.transport.nvml.device_page import DevicePage

            self._page = DevicePage(self._opened(retry=False))
        self._read_before = True
        if self._page is not None and wanted.events and self._has_room(wanted):
            self.facts = self.facts._replace(xids=self._page.xids(self.facts.xids, now))

    def _has_room(self, wanted: Wanted) -> bool:
        """Whether two more calls are within twelve; seven MIG instances leave room for none."""
        return wanted.page or not self._mig

    def _is_due(self, now: float, wanted: Wanted) -> bool:
        if self._recheck_at is None or now >= self._recheck_at:
            return True
        return wanted.details and not self._detailed

    def _opened(self, *, retry: bool) -> DeviceQueries:
        """The queries of its handle; raises NvmlError where there is none."""
        if self._queries is None:
            if self._refusal is not None and not retry:
                raise self._refusal
            self._queries = self._open()
        return self._queries

    def _open(self) -> DeviceQueries:
        by = "PciBusId" if isinstance(self._place, str) else "Index"
        try:
            handle = self._nvml.call(f"nvmlDeviceGetHandleBy{by}", self._place)
        except NvmlError as refused:
            if refused.code not in RESTART:
                self._refusal = refused
            raise
        queries = DeviceQueries(self._nvml, handle)
        index = self._place if isinstance(self._place, int) else queries.ask("nvmlDeviceGetIndex")
        self.facts, self._refusal = DeviceReading(index=index), None
        return queries

    def _read_facts(self, ask: DeviceQueries, wanted: Wanted, *, addresses: bool) -> None:
        if self.facts.uuid is None:
            self.facts = self.facts._replace(uuid=ask.uuid())
            if self.facts.uuid == self._known[0].uuid:
                self.facts = self.facts._replace(xids=self._known[0].xids)
        if addresses and self.bus_id is None:
            self.bus_id = address(ask.bus_id() or "")
        if not wanted.details:
            return
        self.facts = self.facts._replace(
            name=self.facts.name or ask.name(),
            power_limit_w=ask.power_limit_w(),
            slowdown_c=self.facts.slowdown_c or ask.slowdown_c(),
        )
        self._mig = ask.mig_mode()
        self._instances = find_instances(ask) if self._mig else []

    def _figures(
        self, ask: DeviceQueries, names: ProcessNames, wanted: Wanted
    ) -> list[DeviceReading]:
        ask.answers = 0  # a GPU that says its name and nothing else is in error
        memory, bad = sane(ask.memory())
        self.facts = self.facts._replace(
            vram_total_bytes=memory.total or self.facts.vram_total_bytes,
            memory_shared=memory.shared,
        )
        whole = self.facts._replace(
            vram_used_bytes=memory.used, utilization=ask.utilization(), bad=bad
        )
        if wanted.details or not ask.answers:
            return self._with_details(ask, whole, names, wanted)
        power = ask.power_w() if wanted.power else None
        pids = _pids(ask.processes("Compute")) if wanted.pids else None
        return [_judged(whole._replace(power_w=power, processes=pids), ask)]

    def _with_details(
        self, ask: DeviceQueries, whole: DeviceReading, names: ProcessNames, wanted: Wanted
    ) -> list[DeviceReading]:
        processes = self._processes(ask, names)
        whole = whole._replace(
            temperature_c=ask.temperature_c(),
            power_w=ask.power_w(),
            processes=named(outside(processes, self._instances), names),
        )
        page = self._page
        if page is not None and self._has_room(wanted):
            whole = page.with_throttle(whole)
        rows = [_judged(whole, ask), *self._children(whole, processes, names)]
        return rows if page is None or not wanted.page else page.detailed(rows, names.usage)

    def _children(
        self, whole: DeviceReading, processes: list[GpuProcess] | None, names: ProcessNames
    ) -> list[DeviceReading]:
        readings = [instance.read(whole, processes, names) for instance in self._instances]
        if any(not instance.queries.answers for instance in self._instances):
            self._recheck_at = None  # an instance was destroyed: look again at the next poll
        return readings

    def _processes(self, ask: DeviceQueries, names: ProcessNames) -> list[GpuProcess] | None:
        """Compute and graphics processes; a MIG GPU has no graphics."""
        processes = ask.processes("Compute")
        if self._mig:
            return processes
        if processes and any(names.process(process).name == _MPS_SERVER for process in processes):
            processes = processes + (ask.processes("MPSCompute") or [])
        graphics = ask.processes("Graphics")
        if processes is None or graphics is None:
            return processes if graphics is None else graphics
        return processes + graphics


def _judged(whole: DeviceReading, ask: DeviceQueries) -> DeviceReading:
    return whole._replace(state="ok" if ask.answers else "error", note=ask.note())


def _pids(processes: list[GpuProcess] | None) -> tuple[Process, ...] | None:
    return None if processes is None else tuple(Process(one.pid) for one in processes)
