"""The GPUs of the machine with engines: each is as busy as the engine whose process is on it."""

from tokentop.demo.curve import LOOP_S, clamp
from tokentop.demo.engines import ENGINES, Engine, load, state_of
from tokentop.demo.hardware import H200, MIB, RTX4090, Card, uuid
from tokentop.demo.noise import drift
from tokentop.domain.readings import DeviceReading
from tokentop.domain.snapshot import Process
from tokentop.light_typing import Final

_CARDS: Final = (*[H200] * 6, *[RTX4090] * 2)
_PROGRAMS: Final = {
    "vllm": "VLLM::Worker_TP",
    "sglang": "sglang::scheduler",
    "llamacpp": "llama-server",
}
_DRIVER_MIB: Final = 512  # of each GPU, on behalf of no process
_BESIDES: Final = {  # by GPU: processes that are no engine's, with the share of VRAM they take
    5: (("python3", "mira", 52325, 0.05),),
    7: (("whisper-server", "serve", 41249, 0.31), ("jupyter", "ana", 52331, 0.12)),
}


def machine(t: float, seed: int, node: str) -> tuple[DeviceReading, ...]:
    """All eight at one moment."""
    return tuple(_device(index, card, t, seed, node) for index, card in enumerate(_CARDS))


def _device(index: int, card: Card, t: float, seed: int, node: str) -> DeviceReading:
    engine = next((one for one in ENGINES if index in one.gpus), None)
    busy = 0.12 if engine is None else _busy(engine, t, seed)
    return _drawn(index, busy, _processes(index, card, engine, t), t, seed, node)


def training(t: float, seed: int, node: str) -> tuple[DeviceReading, ...]:
    """The same GPUs on a machine that serves nothing: one job on six of them, a notebook."""
    jobs = {7: ("jupyter", "ana", 52331, 0.12)}
    jobs |= {index: ("python3", "mira", 61203 + index, 0.86) for index in range(6)}
    return tuple(
        _drawn(
            index,
            _step(t + index / 8) if index < 6 else 0.08 * (index == 7),
            tuple(_process(_CARDS[index], *jobs[index]) for _ in range(index in jobs)),
            t, seed, node,
        )
        for index in range(len(_CARDS))
    )  # fmt: skip


def _step(t: float) -> float:
    """How busy training keeps a GPU: it waits for data for a moment of each half minute."""
    return 0.97 if t % 30 > 3 else 0.35


def _drawn(
    index: int, busy: float, processes: tuple[Process, ...], t: float, seed: int, node: str
) -> DeviceReading:
    card = _CARDS[index]
    busy = clamp(busy + 0.03 * drift(seed, 30 + index, t) * (busy > 0), 0.0, 1.0)
    used = sum(process.vram_bytes or 0 for process in processes)
    return DeviceReading(
        index=index,
        uuid=uuid(index),
        name=card.name,
        node=node,
        vram_used_bytes=used + _DRIVER_MIB * MIB,
        vram_total_bytes=card.vram_mib * MIB,
        utilization=round(busy, 2),
        temperature_c=float(round(33 + 38 * busy + 2 * drift(seed, 50 + index, t))),
        power_w=float(round(card.idle_w + (card.limit_w - card.idle_w) * 0.88 * busy)),
        power_limit_w=card.limit_w,
        slowdown_c=88.0,
        processes=processes,
    )


def _busy(engine: Engine, t: float, seed: int) -> float:
    """A GPU is busy long before all slots are: few requests keep it from being idle."""
    busy = load(engine, t, seed).busy
    return 0.35 + 0.63 * busy if busy else 0.0


def _processes(index: int, card: Card, engine: Engine | None, t: float) -> tuple[Process, ...]:
    found = [_process(card, *row) for row in _BESIDES.get(index, ())]
    if engine is not None and (taken := _taken(engine, t)):
        pid = engine.pids[engine.gpus.index(index)]
        found.insert(0, _process(card, _PROGRAMS[engine.kind], "serve", pid, taken))
    return tuple(found)


def _process(card: Card, name: str, user: str, pid: int, share: float) -> Process:
    return Process(pid, name, user, int(card.vram_mib * share) * MIB)


def _taken(engine: Engine, t: float) -> float:
    """The share of VRAM that its process has: it grows while the model is loaded."""
    state, outage = state_of(engine, t), engine.outage
    if state == "dead":
        return 0.0
    if state == "serving" or outage is None:
        return engine.vram
    return engine.vram * clamp(
        (t % LOOP_S - outage.loads) / (outage.serves - outage.loads), 0.02, 1
    )
