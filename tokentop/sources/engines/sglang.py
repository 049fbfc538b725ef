"""SGLang: /v1/loads and /metrics at every poll, the names once a minute.

Never requested: `/health` and `/health_generate`, each of which runs a token through the model.
`/v1/loads` (0.5.10 and later) is fresher than the gauges and has the slots, which no metric has;
older servers have them in `/get_server_info`, a scheduler round trip made once a minute.
"""

from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.domain.readings import Failure
from tokentop.sources import json_fields as values
from tokentop.sources.engines.answers import (
    MAX_MODELS,
    ModelNames,
    document_of,
    names_of,
    owners_of,
)
from tokentop.sources.engines.protocol import (
    AUTH_REQUIRED,
    Answer,
    Answers,
    Hints,
    Paths,
    PollProtocol,
    Throttle,
    status_of,
)
from tokentop.sources.engines.sglang_loads import Memory, memory_of, read_loads
from tokentop.sources.engines.sglang_metrics import (
    PREFIX,
    RUNNING,
    SERIES,
    page_of,
    read_gauges,
    with_counters,
)
from tokentop.sources.engines.slots import best_slots
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.metrics_page import Page

LOADS = "/v1/loads"
METRICS = "/metrics"
SERVER_INFO = "/get_server_info"
NAMES = "/v1/models"

KEY_FOR_SLOTS = "With its API key (token_env) the server reports its slots too."


class Sglang:
    """One SGLang server with all its ranks."""

    kind: EngineKind = "sglang"

    def __init__(self, hints: Hints = Hints()) -> None:  # noqa: B008  (a frozen value)
        self._hints = hints
        self._names_due = Throttle()
        self._info_due = Throttle()
        self._names: ModelNames | None = None
        self._reported: int | None = None
        self._memory: Memory = (None, None)
        self._version: str | None = None

    def poll(self, now: float) -> PollProtocol:
        rare: Paths = (NAMES,) if self._names_due.due(now) else ()
        answers = yield (LOADS, METRICS, *rare)
        loads, metrics = answers[LOADS], answers[METRICS]
        self._remember_names(answers.get(NAMES), now)
        if status_of(loads) == 404 and self._info_due.due(now):
            older = yield (SERVER_INFO,)
            self._remember_info(older[SERVER_INFO], now)
        page = page_of(metrics)
        core = read_loads(loads)
        if core is None and page is None:
            return self._silent(loads, metrics)
        reading = self._read(core, page)
        if status_of(loads) in (401, 403) and reading.max_slots is None:
            return reading._replace(advice=KEY_FOR_SLOTS)
        return reading

    def _remember_names(self, answer: Answer | Failure | None, now: float) -> None:
        names = names_of(answer)
        if names is not None:
            self._names = names
            self._names_due.done(now)

    def _remember_info(self, answer: Answer | Failure, now: float) -> None:
        if not isinstance(answer, Answer):
            return
        info = document_of(answer)
        fields = values.Fields(info)
        self._version = fields.text("version") or self._version
        states = info.get("internal_states")
        per_rank = [
            values.Fields(state).count("slots", "effective_max_running_requests_per_dp")
            for state in (states if isinstance(states, list) else ())
            if isinstance(state, dict)
        ]
        self._reported = sum(n for n in per_rank if n) or fields.count("max_running_requests")
        self._memory = memory_of(states, "memory_usage", "kvcache", "weight")
        self._info_due.done(now)

    def _silent(
        self, loads: Answer | Failure, metrics: Answer | Failure
    ) -> EngineReading | Failure:
        blank = self._named(EngineReading("sglang", version=self._version), None)
        if status_of(loads) in (401, 403):
            return blank._replace(health="auth-required", advice=AUTH_REQUIRED)
        if status_of(loads) == 404:
            return blank._replace(
                health="no-metrics",
                advice="Statistics are disabled: start SGLang with --enable-metrics.",
            )
        if isinstance(loads, Failure):
            return loads
        return metrics if isinstance(metrics, Failure) else Failure("bad-data", "No statistics.")

    def _read(self, core: EngineReading | None, page: Page | None) -> EngineReading:
        reading = core or EngineReading("sglang")
        if page is not None:
            reading = with_counters(read_gauges(reading, page), page)
        slots, source = best_slots(reading.max_slots or self._reported, self._hints, None)
        return self._named(reading, page)._replace(
            version=reading.version or self._version,
            max_slots=slots,
            slots_source=source,
            kv_gpu_bytes=reading.kv_gpu_bytes or self._memory[0],
            weights_gpu_bytes=reading.weights_gpu_bytes or self._memory[1],
        )

    def _named(self, reading: EngineReading, page: Page | None) -> EngineReading:
        known = self._names or ModelNames()
        names, more = known.models, 0
        if page is not None and not names:
            found = page.label_values(RUNNING, "model_name")
            names, more = found[:MAX_MODELS], max(0, len(found) - MAX_MODELS)
        return reading._replace(
            models=names or None,
            model=names[0] if names else None,
            aliases=known.aliases,
            adapters=known.adapters,
            names_more=known.more + more,
        )


def _is_sglang(answers: Answers) -> bool:
    """By its loads; an older server by its names."""
    if LOADS not in answers:
        return False
    loads = document_of(answers[LOADS]).get("loads")
    return isinstance(loads, list) or "sglang" in (owners_of(answers.get(NAMES)) or ())


SPEC = EngineSpec(
    "sglang",
    Sglang,
    port=30000,
    command=CommandLine(
        ("sglang", "sglang.launch_server"),
        prefixes=("sglang::", "sglang.srt."),
        subcommands=("serve",),
        slot_flags=(("--max-running-requests",),),
        model_flags=(("--served-model-name",), ("--model-path", "--model")),
    ),
    series=SERIES,
    read_gauges=read_gauges,
    signature=Signature(then=(LOADS,), recognise=_is_sglang, series=PREFIX),
)
