"""Rows with plain column names, as a spreadsheet, a script or another tool writes them."""

from collections.abc import Mapping

from tokentop.domain.ledger.event import Outcome, UsageEvent
from tokentop.light_typing import Any, get_args
from tokentop.sources.json_fields import Fields
from tokentop.sources.usage.fields import (
    Unreadable,
    counted,
    micro_usd,
    microseconds,
    thousandths,
)

# Our name of a figure -> the names of its column, the first that holds something counts.
COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "event_id", "request_id", "litellm_call_id"),
    "time": ("time", "timestamp", "at", "start_time", "startTime"),
    "user": ("user", "user_id"),
    "end_user": ("end_user", "end_user_id"),
    "project": ("project", "project_id"),
    "team": ("team", "team_id"),
    "model": ("model",),
    "provider": ("provider",),
    "engine": ("engine", "node"),
    "session": ("session", "session_id", "conversation_id"),
    "task": ("task", "task_id"),
    "prompt": ("prompt_tokens", "input_tokens"),
    "cached": ("cached_tokens", "cache_read_tokens"),
    "generated": ("generated_tokens", "completion_tokens", "output_tokens"),
    "reasoning": ("reasoning_tokens",),
    "duration_ms": ("duration_ms",),
    "duration_s": ("duration_s", "duration"),
    "gpu": ("gpu",),
    "gpu_s": ("gpu_seconds",),
    "vram_share": ("vram_share",),
    "transfer_bytes": ("transfer_bytes",),
    "usd": ("usd", "cost_usd", "cost"),
    "outcome": ("outcome", "status"),
    "estimated": ("estimated",),
}
_TEXTS = ("user", "end_user", "project", "team", "model", "provider", "engine", "session", "task",
          "gpu")  # fmt: skip
_TOKENS = ("prompt", "cached", "generated", "reasoning")


def event(row: Mapping[str, object], fallback: str) -> UsageEvent:
    """The usage event of one row; raises Unreadable.

    Prompt tokens include cached ones and generated tokens reasoning, as OpenAI counts them. A row
    does not show whether its user was authenticated.
    """
    fields = Fields({name.strip().lower(): value for name, value in row.items() if value != ""})
    columns = {name: tuple(map(str.lower, names)) for name, names in COLUMNS.items()}
    tokens: dict[str, Any] = {name: counted(fields, name, *columns[name]) for name in _TOKENS}
    gpu_ms = thousandths(fields.raw("gpu_s", *columns["gpu_s"]))
    if tokens["prompt"] is None and tokens["generated"] is None and gpu_ms is None:
        raise Unreadable("it has neither tokens nor GPU-seconds")
    texts: dict[str, Any] = {name: fields.text(name, *columns[name]) for name in _TEXTS}
    name = fields.text("id", *columns["id"])
    duration = fields.count("duration_ms", *columns["duration_ms"])
    return UsageEvent(
        identity=f"file:{name}" if name else fallback,
        at_us=microseconds(fields.raw("time", *columns["time"])),
        feed="file",
        outcome=_outcome(fields.text("outcome", *columns["outcome"])),
        estimated=bool(fields.boolean("estimated", *columns["estimated"])),
        request=name,
        gpu_ms=gpu_ms,
        vram_share=thousandths(fields.raw("vram_share", *columns["vram_share"])),
        duration_ms=duration
        if duration is not None
        else thousandths(fields.raw("duration_s", *columns["duration_s"])),
        transfer_bytes=fields.count("transfer_bytes", *columns["transfer_bytes"]),
        micro_usd=micro_usd(fields.raw("usd", *columns["usd"])),
        **tokens,
        **texts,
    )


def _outcome(word: str | None) -> Outcome:
    known: dict[str, Outcome] = {name: name for name in get_args(Outcome)}
    return known.get((word or "success").lower(), "success" if word in (None, "ok") else "failure")
