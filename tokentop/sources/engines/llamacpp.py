"""llama.cpp's llama-server: /props, then /slots, unless the model sleeps.

`/slots` on a sleeping server, or on a router's unloaded model, would load it, so `/props` is
requested first. `/metrics` resets the averages that the user's own Prometheus reads, so it is
requested only where `/slots` is disabled.
"""

from collections.abc import Iterator, Mapping, Sequence

from tokentop.domain.engines.readings import EngineKind, EngineReading, ObservedSlots, SlotProgress
from tokentop.domain.readings import Failure
from tokentop.named_tuple import NamedTuple
from tokentop.sources import json_fields as values
from tokentop.sources.engines.answers import document_of
from tokentop.sources.engines.protocol import (
    Answer,
    Answers,
    Hints,
    PollProtocol,
    refused,
    status_of,
)
from tokentop.sources.engines.series import Series, merged, parse_page, read_counters
from tokentop.sources.engines.slots import best_slots
from tokentop.sources.engines.spec import CommandLine, EngineSpec, Signature
from tokentop.sources.figures import Figures
from tokentop.sources.metrics_page import Page

PROPS = "/props"
SLOTS = "/slots"
METRICS = "/metrics"
MODELS = "/models"

SERIES = Series(
    presence="llamacpp:requests_processing",
    running=("llamacpp:requests_processing",),
    waiting=("llamacpp:requests_deferred",),
    kv_cache=("llamacpp:kv_cache_usage_ratio",),  # builds of 2024
    prompt_tokens=("llamacpp:prompt_tokens_total",),
    generation_tokens=("llamacpp:tokens_predicted_total",),
)
WANTED = SERIES.wanted()

MAX_LOADED = 16
DISABLED = (404, 501)
AUTOMATIC = 4  # so many slots a server has whose user named no number; they share one KV cache
ASLEEP = "The model sleeps; the next request wakes it."
NO_METRICS = "Slots and metrics are disabled: start llama-server with --slots or --metrics."


class _Slots(NamedTuple):
    """A list of slots; tokens per task for the rates.

    `held` are the tokens of running tasks and `each` the context of one slot, `room` that of all.
    """

    size: int
    busy: int
    progress: tuple[SlotProgress, ...]
    held: int | None = None
    each: int = 0
    room: int = 0
    bad: tuple[str, ...] = ()


class LlamaCpp:
    """One llama-server, or one router in front of several models."""

    kind: EngineKind = "llamacpp"

    def __init__(self, hints: Hints = Hints()) -> None:  # noqa: B008  (a frozen value)
        self._hints = hints
        self._apart = hints.observed.apart  # whether the slots were seen to share no cache

    def poll(self, now: float) -> PollProtocol:  # noqa: ARG002  (/props comes first each time)
        answers = yield (PROPS,)
        props = answers[PROPS]
        if isinstance(props, Failure):
            return refused(props, "llamacpp")
        try:
            facts = values.Fields(document := values.mapping(values.load(props.body)))
        except values.BadData as problem:
            return Failure("bad-data", f"{PROPS}: {problem}")
        blank = _identity(facts)
        if facts.boolean("is_sleeping"):
            return blank._replace(health="asleep", advice=ASLEEP)
        if document.get("role") == "router":
            return (yield from self._router(blank))
        return (yield from self._single(blank, facts.count("total_slots")))

    def _single(self, blank: EngineReading, total: int | None) -> PollProtocol:
        answers = yield (SLOTS,)
        slots = answers[SLOTS]
        if status_of(slots) in DISABLED:
            return (yield from self._metrics(blank, total))
        if isinstance(slots, Failure):
            return refused(slots, "llamacpp")
        found = read_slots(slots)
        if found is None:
            return Failure("bad-data", f"{SLOTS} does not answer a list of slots.")
        return self._reading(blank, total or found.size, [found])

    def _metrics(self, blank: EngineReading, total: int | None) -> PollProtocol:
        answers = yield (METRICS,)
        metrics = answers[METRICS]
        slots, source = best_slots(total, self._hints, None)
        blank = blank._replace(max_slots=slots, slots_source=source)
        if isinstance(metrics, Failure):
            return blank._replace(health="no-metrics", advice=NO_METRICS)
        page = parse_page(metrics.body, WANTED)
        return read_counters(read_gauges(blank, page), page, SERIES)

    def _router(self, blank: EngineReading) -> PollProtocol:
        answers = yield (MODELS,)
        listing = answers[MODELS]
        if isinstance(listing, Failure):
            return refused(listing, "llamacpp")
        loaded = _loaded(listing)
        if loaded is None:
            return Failure("bad-data", f"{MODELS} does not answer a list of models.")
        blank = blank._replace(models=loaded, model=loaded[0] if loaded else None)
        if not loaded:
            return blank._replace(active=0)
        slots = yield tuple(_slots_of(name) for name in loaded)
        found = [read_slots(answer, path) for path, answer in slots.items()]
        known = [f for f in found if f is not None]
        return self._reading(blank, sum(f.size for f in known) or None, known)

    def _reading(
        self, blank: EngineReading, total: int | None, found: Sequence[_Slots]
    ) -> EngineReading:
        slots, source = best_slots(total, self._hints, None)
        usage = [share for f in found if (share := self._fullness(f)) is not None]
        return blank._replace(
            active=sum(f.busy for f in found) if found else None,
            max_slots=slots,
            slots_source=source,
            kv_cache=max(usage, default=None),
            kv_estimated=bool(usage),
            slots=tuple(step for f in found for step in f.progress) if found else None,
            observed=ObservedSlots(apart=self._apart),
            bad=merged(blank.bad, tuple(name for f in found for name in f.bad)),
        )

    def _fullness(self, found: _Slots) -> float | None:
        """An estimate: tokens held by running tasks over the cells there are for them.

        No answer says whether the slots share one pool of cells (no -np, or --kv-unified). They
        don't where they hold more than one slot could, or where there are not as many of them as
        a server has whose user named no number.
        """
        if found.held is None or not found.room:
            return None
        self._apart = self._apart or found.held > found.each
        one_pool = self._hints.one_pool
        if one_pool is None:
            one_pool = found.size == AUTOMATIC and not self._apart
        return min(1.0, found.held / (found.each if one_pool else found.room))


def read_gauges(blank: EngineReading, page: Page) -> EngineReading:
    """What runs and waits."""
    figures = Figures(page)
    return blank._replace(
        active=figures.count("active", *SERIES.running),
        queued=figures.count("queued", *SERIES.waiting),
        kv_cache=figures.ratio("kv_cache", *SERIES.kv_cache),
        bad=merged(blank.bad, figures.bad),
    )


def _slots_of(model: str) -> str:
    """A router's path to one model's slots, which must not load the model."""
    from urllib.parse import quote  # costs start-up time, and few have a router

    return f"{SLOTS}?model={quote(model, safe='')}&autoload=false"


def read_slots(answer: Answer | Failure | None, prefix: str = "") -> _Slots | None:
    """A /slots answer of any build since 2024; None where it is none."""
    if not isinstance(answer, Answer):
        return None
    try:
        rows = [r for r in values.rows(values.load(answer.body), "slots") if isinstance(r, dict)]
    except values.BadData:
        return None
    busy = [row for row in rows if _busy(row)]
    progress = tuple(_progress(row, prefix) for row in rows)
    found = _Slots(len(rows), len(busy), progress)
    return _with_cells(found, rows, busy)


def _busy(row: Mapping[str, object]) -> bool:
    flag = values.as_boolean(row.get("is_processing"))
    return row.get("state") == 1 if flag is None else flag


def _progress(row: Mapping[str, object], prefix: str) -> SlotProgress:
    """How far the slot's task is; an idle slot has the end of its last one, or nothing yet."""
    token = row.get("next_token")
    if isinstance(token, list):
        token = token[0] if token else None
    task = values.as_number(row.get("id_task"))
    place = f"{prefix}/{values.as_count(row.get('id'))}"
    if not isinstance(token, dict) or task is None or task < 0:
        return SlotProgress(f"{place}/", 0)
    generated = values.as_count(token.get("n_decoded")) or 0
    prompt = values.as_count(row.get("n_prompt_tokens_processed")) or 0
    return SlotProgress(f"{place}/{task:.0f}", generated, prompt)


def _with_cells(
    found: _Slots, rows: Sequence[dict[str, object]], busy: Sequence[dict[str, object]]
) -> _Slots:
    """The slots with what they hold and have room for, in builds that report it."""
    bad = [name for row in rows for name in _unusable(row)]
    contexts = [values.as_count(row.get("n_ctx")) or 0 for row in rows]
    held = [values.as_count(row.get("n_prompt_tokens")) for row in busy]
    known = [tokens for tokens in held if tokens is not None]
    recent = all("is_processing" in row for row in rows)  # builds that have n_prompt_tokens
    if recent and contexts and all(contexts) and len(known) == len(held):
        found = found._replace(held=sum(known), each=max(contexts), room=sum(contexts))
    return found._replace(bad=tuple(dict.fromkeys(bad)))


def _unusable(row: Mapping[str, object]) -> Iterator[str]:
    """The figures that a slot has in an unusable form."""
    token = row.get("next_token")
    token = token[0] if isinstance(token, list) and token else token
    made = token.get("n_decoded") if isinstance(token, dict) else None
    if made is not None and values.as_count(made) is None:
        yield "generation_tokens"
    read = row.get("n_prompt_tokens_processed")
    if read is not None and values.as_count(read) is None:
        yield "prompt_tokens"
    for name in ("n_ctx", "n_prompt_tokens"):
        if row.get(name) is not None and values.as_count(row[name]) is None:
            yield "kv_cache"


def _identity(facts: values.Fields) -> EngineReading:
    model = facts.text("model", "model_alias", "model_path")
    if model and (model.startswith("/") or model.endswith(".gguf")):
        model = model.rsplit("/", 1)[-1]  # without --alias the alias is the path too
    return EngineReading(
        "llamacpp",
        version=facts.text("version", "build_info"),
        model=model,
        models=(model,) if model else None,
    )


def _loaded(answer: Answer) -> tuple[str, ...] | None:
    try:
        rows = values.rows(values.load(answer.body), "data", "models")
    except values.BadData:
        return None
    names: list[str] = []
    for row in rows:
        status = row.get("status") if isinstance(row, dict) else None
        state = status.get("value") if isinstance(status, dict) else None
        if isinstance(row, dict) and state == "loaded" and (name := row.get("id")):
            names.append(str(name)[:256])
    return tuple(names[:MAX_LOADED])


def _is_llamacpp(answers: Answers) -> bool:
    """By the Server header of any answer, or by its properties."""
    found = (answer for answer in answers.values() if isinstance(answer, Answer))
    if any(answer.server.lower().startswith("llama.cpp") for answer in found):
        return True
    props = document_of(answers.get(PROPS))
    return "total_slots" in props or props.get("role") == "router"


SPEC = EngineSpec(
    "llamacpp",
    LlamaCpp,
    port=8080,
    command=CommandLine(
        ("llama-server", "llama.cpp-server", "llamafile"),
        slot_flags=(("-np", "--parallel", "--n-parallel"),),
        pool_flags=("-kvu", "--kv-unified"),
        no_pool_flags=("-no-kvu", "--no-kv-unified"),
        model_flags=(("-a", "--alias"), ("-m", "--model"), ("-hf", "-hfr", "--hf-repo")),
        slots_variable="LLAMA_ARG_N_PARALLEL",
        port_variable="LLAMA_ARG_PORT",
    ),
    series=SERIES,
    read_gauges=read_gauges,
    signature=Signature(
        first=(PROPS,),
        locked=("/", "/v1/health"),
        recognise=_is_llamacpp,
        metrics_spared=("llamacpp",),  # reading restarts its averages
    ),
    runner_kind="llamacpp",  # a router's models
)
