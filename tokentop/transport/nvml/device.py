"""One physical GPU with its MIG instances: facts asked once, figures at every poll."""

from typing import Any, NamedTuple

from tokentop.domain.readings import DeviceReading
from tokentop.domain.snapshot import GpuState, Process
from tokentop.transport.nvml.device_queries import Memory, Questions
from tokentop.transport.nvml.driver import GONE, UNINITIALIZED, Nvml, Refused
from tokentop.transport.nvml.power_state import address
from tokentop.transport.nvml.processes import Claim, People, largest

RECHECK_S = 60.0  # how often to ask what hardly changes: limit, MIG layout, past refusals

_MPS_SERVER = "nvidia-cuda-mps-server"


class Wanted(NamedTuple):
    """What will be shown, and so what is asked.

    Without `details` that is UUID, VRAM and utilisation: what one line needs. `addresses` are
    needed only to recognise a GPU that falls asleep.
    """

    details: bool = True
    addresses: bool = True


class Instance:
    """One MIG instance, as a child of its GPU."""

    def __init__(self, nvml: Nvml, handle: Any, *, details: bool) -> None:
        self.questions = ask = Questions(nvml, handle)
        self.gpu_instance: int | None = None
        self._facts = DeviceReading(uuid=ask.uuid())
        self._details = details
        if details:
            self.gpu_instance = ask.ask("nvmlDeviceGetGpuInstanceId")
            self._facts = self._facts._replace(name=ask.name())

    def read(
        self, parent: DeviceReading, claims: list[Claim] | None, people: People
    ) -> DeviceReading:
        """Its own memory; processes from its GPU's list, or its own where that is refused."""
        self.questions.new_poll(forgive=False)
        memory, bad = _sane(self.questions.memory())
        if claims is not None:
            claims = [claim for claim in claims if claim.instance == self.gpu_instance]
        elif self._details:
            claims = self.questions.claims("Compute")
        return self._facts._replace(
            index=parent.index,
            mig=parent.uuid,
            vram_used_bytes=memory.used,
            vram_total_bytes=memory.total,
            processes=_named(claims, people),
            bad=bad,
        )


class Device:
    """One GPU. `facts` holds what stays when it sleeps or is lost: name, UUID, total, limit."""

    def __init__(self, nvml: Nvml, handle: Any, index: int | None, wanted: Wanted) -> None:
        self.facts = DeviceReading(index=index)
        self.bus_id: str | None = None
        self._wanted = wanted
        self._questions = Questions(nvml, handle)
        self._instances: list[Instance] = []
        self._mig = False
        self._recheck_at: float | None = None

    def read(self, now: float, people: People) -> list[DeviceReading]:
        """This GPU and then its MIG instances; raises Refused only for a driver shut down."""
        try:
            recheck = self._recheck_at is None or now >= self._recheck_at
            self._questions.new_poll(forgive=recheck)
            if recheck:
                self._ask_facts()
                self._recheck_at = now + RECHECK_S
            return self._figures(people)
        except Refused as refused:
            if refused.code not in GONE:
                raise
            return [self.at_rest("lost", self._questions.nvml.words(refused.code))]

    def at_rest(self, state: GpuState, note: str | None) -> DeviceReading:
        """The facts alone, for a GPU that is not asked or no longer answers."""
        return self.facts._replace(state=state, note=note)

    def _ask_facts(self) -> None:
        ask = self._questions
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
        for slot in range(self._questions.ask("nvmlDeviceGetMaxMigDeviceCount") or 0):
            try:
                handle = self._questions.nvml.call(
                    "nvmlDeviceGetMigDeviceHandleByIndex", self._questions.handle, slot
                )
            except Refused as refused:
                if refused.code in GONE or refused.code == UNINITIALIZED:
                    raise
                continue  # an empty slot
            found.append(Instance(self._questions.nvml, handle, details=self._wanted.details))
        return found

    def _figures(self, people: People) -> list[DeviceReading]:
        ask = self._questions
        memory, bad = _sane(ask.memory())
        self.facts = self.facts._replace(
            vram_total_bytes=memory.total or self.facts.vram_total_bytes,
            memory_shared=memory.shared,
        )
        whole = self.facts._replace(vram_used_bytes=memory.used, utilization=ask.utilization())
        claims = None
        if self._wanted.details:
            claims = self._claims(people)
            whole = self._with_details(whole, claims, people)
        whole = whole._replace(state="ok" if ask.answers else "error", note=ask.note(), bad=bad)
        return [whole, *self._children(whole, claims, people)]

    def _with_details(
        self, whole: DeviceReading, claims: list[Claim] | None, people: People
    ) -> DeviceReading:
        return whole._replace(
            temperature_c=self._questions.temperature_c(),
            power_w=self._questions.power_w(),
            processes=_named(_outside(claims, self._instances), people),
        )

    def _children(
        self, whole: DeviceReading, claims: list[Claim] | None, people: People
    ) -> list[DeviceReading]:
        readings = [instance.read(whole, claims, people) for instance in self._instances]
        if any(not instance.questions.answers for instance in self._instances):
            self._recheck_at = None  # an instance was destroyed: look again at the next poll
        return readings

    def _claims(self, people: People) -> list[Claim] | None:
        """Compute and graphics processes; a MIG GPU has no graphics."""
        claims = self._questions.claims("Compute")
        if self._mig:
            return claims
        if claims and any(people.process(claim).name == _MPS_SERVER for claim in claims):
            claims = claims + (self._questions.claims("MPSCompute") or [])
        graphics = self._questions.claims("Graphics")
        if claims is None or graphics is None:
            return claims if graphics is None else graphics
        return claims + graphics


def _outside(claims: list[Claim] | None, instances: list[Instance]) -> list[Claim] | None:
    """The claims that no MIG instance shows as its own."""
    if claims is None:
        return None
    shown = {instance.gpu_instance for instance in instances}
    return [claim for claim in claims if claim.instance is None or claim.instance not in shown]


def _named(claims: list[Claim] | None, people: People) -> tuple[Process, ...] | None:
    if claims is None:
        return None
    return tuple(people.process(claim) for claim in largest(claims))


def _sane(memory: Memory) -> tuple[Memory, tuple[str, ...]]:
    """Used can be no more than there is; what was clamped is named."""
    if memory.used is None or memory.total is None or memory.used <= memory.total:
        return memory, ()
    return memory._replace(used=memory.total), ("vram_used_bytes",)
