"""Spans that report a request to a model: by gateways, engines, agents and instrumented code."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tokentop.domain.ledger.event import Outcome, UsageEvent
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple
from tokentop.sources.json_fields import Fields, as_boolean
from tokentop.sources.usage import litellm
from tokentop.sources.usage.attribution import Names, claimed
from tokentop.sources.usage.fields import Unreadable, micro_usd
from tokentop.sources.usage.otlp import agents, figures
from tokentop.sources.usage.otlp.records import Record, nanoseconds

# Spans around several requests: those are reported by spans of their own.
_SUMS = ("invoke_agent", "create_agent", "invoke_workflow", "execute_tool")
_ERROR = 2  # of a span's status
_MODEL = ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "model")
_PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
_REQUEST = ("gen_ai.response.id", "gen_ai.request.id", "llm.response.id")


def own(records: Iterable[Record]) -> Iterator[Record]:
    """Without the spans around others that report tokens too: they repeat or sum those."""
    reporting = [each for each in records if _reports(each)]
    parents = {str(each.item.get("parentSpanId")) for each in reporting}
    return (each for each in reporting if str(each.item.get("spanId")) not in parents)


def _reports(record: Record) -> bool:
    fields = record.attributes
    if (fields.text("operation", "gen_ai.operation.name") or "") in _SUMS:
        return False
    if (fields.text("service", "service.name") or "").startswith(agents.CODEX):
        return False  # its logs have the same, and whose session it was
    counts = ("prompt", "generated")
    if agents.is_claude(record):
        return agents.is_request(record)
    return any(fields.raw(name, *figures.GENAI[name]) is not None for name in counts)


def event(record: Record, names: Names) -> UsageEvent:
    """The usage event of one span; raises Unreadable."""
    if agents.is_claude(record):
        return agents.claude(record, names)
    return next(read for fits, read in _READERS if fits(record))(record, names)


def _basic(record: Record, names: Names, feed: str) -> UsageEvent:
    """What all vocabularies have in common."""
    fields = record.attributes
    trace, span = (Fields(record.item).text(name) for name in ("traceId", "spanId"))
    start = record.at_us("startTimeUnixNano")
    if trace is None or span is None or start is None:
        raise Unreadable("the span has no id or no start")
    return UsageEvent(
        identity=f"otlp:{trace}:{span}",
        at_us=start,
        feed=feed,
        outcome=_outcome(record),
        model=fields.text("model", *_MODEL),
        provider=fields.text("provider", *_PROVIDER),
        engine=_address(fields),
        request=fields.text("request", *_REQUEST),
        duration_ms=_duration(record, start),
        trace=trace,
        **claimed(fields, names),
        **figures.required(figures.genai(fields)),
    )


def _outcome(record: Record) -> Outcome:
    reasons = record.attributes.raw("gen_ai.response.finish_reasons")
    if isinstance(reasons, str):  # SGLang sends the list as JSON
        try:
            reasons = json.loads(reasons)
        except (ValueError, RecursionError):
            reasons = [reasons]
    if isinstance(reasons, list) and "abort" in reasons:
        return "aborted"
    status = record.item.get("status")
    failed = isinstance(status, dict) and status.get("code") in (_ERROR, "STATUS_CODE_ERROR")
    return "failure" if failed else "success"


def _address(fields: Fields) -> str | None:
    host, port = fields.text("host", "server.address"), fields.count("port", "server.port")
    return host if host is None or port is None else f"{host}:{port}"


def _duration(record: Record, start: int) -> int | None:
    end = record.at_us("endTimeUnixNano")
    return None if end is None else max(0, end - start) // 1000


def _litellm(record: Record, names: Names) -> UsageEvent:
    """A call of LiteLLM's, both layouts; what it authenticated, by attribute."""
    fields = record.attributes
    found = _basic(record, names, "litellm-otel")
    checked: dict[str, Any] = {
        name: fields.text(name, *(at + key for at in _LITELLM_AT for key in keys))
        for name, keys in _LITELLM_KEYS.items()
    }
    known = {name: each for name, each in checked.items() if each is not None}
    cost = fields.raw("cost", "litellm.cost.total", "gen_ai.cost.total_cost")
    hit = as_boolean(fields.raw("litellm.cache_hit")) is True
    found = found._replace(
        identity=f"litellm:{fields.text('litellm.call_id')}",
        end_user=fields.text("end", *(at + "user_api_key_end_user_id" for at in _LITELLM_AT)),
        authenticated=tuple(known),
        micro_usd=micro_usd(cost),
        engine=litellm.deployment(fields.raw("hidden_params")) or found.engine,
        **known,
    )
    return found._replace(outcome="cache-hit", **_NOTHING) if hit else found


_NOTHING: Any = dict.fromkeys(figures.TOKENS, 0)  # the first answer's tokens again
_LITELLM_AT = ("litellm.metadata.", "metadata.", "litellm.")
_LITELLM_KEYS = {
    "user": ("user_api_key_user_id", "user_api_key_user_email", "user_api_key_alias"),
    "team": ("user_api_key_team_alias", "user_api_key_team_id", "team.alias", "team.id"),
    "project": ("user_api_key_project_alias", "user_api_key_project_id"),
}


def _engine(record: Record, names: Names) -> UsageEvent:
    """vLLM and SGLang: exact, of unknown users; the service's name is that of the node."""
    feed = "sglang" if _is_sglang(record) else "vllm"
    found = _basic(record, names, feed)
    return found._replace(engine=record.attributes.text("service.name") or found.engine)


def _is_sglang(record: Record) -> bool:
    return record.attributes.text("module") == "sglang::request"


_READERS: Sequence[tuple[Callable[[Record], bool], Callable[[Record, Names], UsageEvent]]] = (
    (lambda record: record.attributes.text("litellm.call_id") is not None, _litellm),
    (lambda record: _is_sglang(record) or record.scope.startswith("vllm."), _engine),
    (lambda _: True, lambda record, names: _basic(record, names, "genai")),
)


class _Start(NamedTuple):
    """By which an engine's spans of one request are known: it has a span for each answer of it."""

    engine: str | None
    start: int | None
    prompt: int | None


def joined(found: Iterable[tuple[Record, UsageEvent]]) -> list[UsageEvent]:
    """Engines report a request for n answers by n or n + 1 spans, each with the whole prompt.

    Their spans start in the same nanosecond. The prompt counts once, what was generated adds up;
    a span that is sent twice counts once.
    """
    groups: Mapping[object, dict[str, UsageEvent]] = defaultdict(dict)
    for record, each in found:
        start = _Start(each.engine, nanoseconds(record.item.get("startTimeUnixNano")), each.prompt)
        key = start if each.feed in ("vllm", "sglang") else each.identity
        groups[key][each.identity] = each
    return [_sum([group[name] for name in sorted(group)]) for group in groups.values()]


def _sum(group: Sequence[UsageEvent]) -> UsageEvent:
    first = group[0]
    if len(group) == 1:
        return first
    cached, generated, durations = (
        [value for each in group if (value := getattr(each, name)) is not None]
        for name in ("cached", "generated", "duration_ms")
    )
    return first._replace(
        cached=max(cached, default=None),
        generated=sum(generated) if generated else None,
        duration_ms=max(durations, default=None),
    )
