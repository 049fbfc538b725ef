"""Coding agents: the one report of each request that has its tokens and its session.

Each agent repeats a request in logs, metrics and spans. Codex and Gemini CLI are read from their
logs, Claude Code from logs or spans, which show the same request id.
"""

from collections.abc import Callable, Mapping

from tokentop.domain.ledger.event import UsageEvent
from tokentop.light_typing import Any
from tokentop.sources.json_fields import Fields
from tokentop.sources.usage.attribution import Names, claimed
from tokentop.sources.usage.fields import Unreadable, microseconds
from tokentop.sources.usage.otlp import figures
from tokentop.sources.usage.otlp.records import Record

CODEX = "codex"  # its services are codex_exec, codex-tui and more
_CLAUDE_SCOPE = "com.anthropic.claude_code"
_CLAUDE_SPAN = "claude_code.llm_request"
_CLAUDE_MODELS = "claude-"  # those whose price it knows; for any other it invents one


def is_claude(record: Record) -> bool:
    return record.scope.startswith(_CLAUDE_SCOPE)


def is_request(record: Record) -> bool:
    """Whether a span of Claude Code's is a request that was answered."""
    return record.name == _CLAUDE_SPAN and record.attributes.raw("output_tokens") is not None


def claude(record: Record, names: Names) -> UsageEvent:
    """Claude Code's event `api_request`, or the span of the same request."""
    fields = record.attributes
    session, request = fields.text("session.id"), fields.text("request_id")
    number = request or fields.text("event.sequence")
    model = fields.text("model")
    found = _event(record, names, "claude-code", figures.claude(fields))
    return found._replace(
        identity=f"claude-code:{session}:{number}" if session and number else found.identity,
        request=request,
        provider=fields.text("gen_ai.system"),
        micro_usd=fields.count("cost_usd_micros") if _is_claude_model(model) else None,
    )


def _is_claude_model(model: str | None) -> bool:
    return model is not None and model.startswith(_CLAUDE_MODELS)


def codex(record: Record, names: Names) -> UsageEvent | None:
    """Of Codex's many events of a stream the last, which has the tokens."""
    fields = record.attributes
    if fields.text("event.kind") != "response.completed":
        return None
    return _event(record, names, "codex", figures.tokens(fields, figures.CODEX))


def gemini(record: Record, names: Names) -> UsageEvent:
    """Gemini CLI's event `api_response`."""
    return _event(record, names, "gemini-cli", figures.gemini(record.attributes))


def _event(record: Record, names: Names, feed: str, tokens: Mapping[str, Any]) -> UsageEvent:
    """A request that ended when the event was made, and began its duration before that."""
    fields = record.attributes
    who = claimed(fields, names)
    duration = fields.count("duration_ms")
    end = _end(record, fields)
    start = record.at_us("startTimeUnixNano") or end - (duration or 0) * 1000
    return UsageEvent(
        identity=f"{feed}:{who['session']}:{end}:{tokens['prompt']}:{tokens['generated']}",
        at_us=start,
        feed=feed,
        model=fields.text("model"),
        duration_ms=duration,
        **who,
        **figures.required(tokens),
    )


def _end(record: Record, fields: Fields) -> int:
    """Codex leaves the record's own time at zero."""
    found = record.at_us("timeUnixNano", "endTimeUnixNano")
    if found is not None:
        return found
    text = fields.text("event.timestamp")
    observed = record.at_us("observedTimeUnixNano")
    if text is None and observed is not None:
        return observed
    return microseconds(text)


LOGS: Mapping[str, Callable[[Record, Names], UsageEvent | None]] = {
    "api_request": claude,
    "codex.sse_event": codex,
    "gemini_cli.api_response": gemini,
}


def log_event(record: Record, names: Names) -> UsageEvent | None:
    """The usage event of a log record; None for the many that are none. Raises Unreadable."""
    kind = record.attributes.text("event.name") or ""
    if kind == "api_request" and not is_claude(record):
        return None
    read = LOGS.get(kind)
    if read is None:
        return None
    if not record.attributes.raw("session", "session.id", "conversation.id"):
        raise Unreadable("it names no session")
    return read(record, names)
