"""LiteLLM's usage records: events of its generic API callback, and rows of its spend logs.

What it authenticated (`user_api_key_*`) is kept apart from what a client chose (tags, x-headers,
`metadata` of the body, the end user). Versions 1.105 and 1.109 were read.
"""

import json
import re
from collections.abc import Mapping

from tokentop.domain.ledger.event import Outcome, UsageEvent
from tokentop.domain.urls import split
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple
from tokentop.sources.json_fields import Fields, as_boolean
from tokentop.sources.usage.attribution import NO_NAMES, Names, text
from tokentop.sources.usage.fields import Unreadable, counted, micro_usd, microseconds

_PROJECT_TAG = re.compile(r"proj(?:ect)?:(.+)", re.IGNORECASE)
_SESSION_HEADERS = ("x-litellm-session-id", "x-claude-code-session-id")
_CODEX_HEADER = "x-codex-turn-metadata"
_MAX_INNER = 256 * 1024  # characters of JSON within a text, which is read at once
GONE = "499"  # the client hung up; LiteLLM calls it a success and guesses the tokens


class _Record(NamedTuple):
    """A record's parts that several figures are read from."""

    top: Fields
    key: Fields  # metadata: user_api_key_* and what else LiteLLM adds
    headers: Fields
    claims: Fields  # headers, spend_logs_metadata and `metadata`: what the client chose
    tags: list[object]


def is_one(row: Mapping[str, object]) -> bool:
    """Whether a row is LiteLLM's: its own names for the call and for the start."""
    return "startTime" in row and ("litellm_call_id" in row or "request_id" in row)


def is_turned_away(row: Mapping[str, object]) -> bool:
    """Whether LiteLLM refused a request before it knew the model: a probe, or a wrong key.

    Monitors that poll it without a key cause one at each poll.
    """
    named = row.get("model_group") or row.get("model")
    return not named and _outcome(_record(row))[0] == "failure"


def event(row: Mapping[str, object], fallback: str, names: Names = NO_NAMES) -> UsageEvent:
    """The usage event of one record; raises Unreadable. `names` are of headers and metadata."""
    record = _record(row)
    top = record.top
    start = microseconds(top.raw("start", "startTime"))
    outcome, estimated = _outcome(record)
    tokens = _no_tokens() if outcome == "cache-hit" else _tokens(record)
    return UsageEvent(
        identity=_identity(top, fallback),
        at_us=start,
        feed="litellm",
        outcome=outcome,
        estimated=estimated,
        **_who(record, names),
        model=top.text("model_group") or top.text("model"),
        provider=top.text("custom_llm_provider"),
        engine=_engine(top),
        request=top.text("id", "id", "request_id"),
        session=_session(record, names),
        task=text(record.claims, "task", names),
        **tokens,
        duration_ms=_duration(top, start),
        micro_usd=micro_usd(top.raw("cost", "response_cost", "spend")),
    )


def _record(row: Mapping[str, object]) -> _Record:
    key = Fields(_object(row.get("metadata")))
    body = _object(key.raw("requester_metadata"))
    headers = _object(key.raw("requester_custom_headers")) or _object(body.get("headers"))
    tags = _parsed(row.get("request_tags"))
    chosen = {**body, **_object(key.raw("spend_logs_metadata")), **headers}
    claims = Fields({name.lower(): value for name, value in chosen.items()})
    listed = tags if isinstance(tags, list) else []
    return _Record(Fields(row), key, Fields(headers), claims, listed)


def _object(value: object) -> Mapping[str, object]:
    found = _parsed(value)
    return found if isinstance(found, dict) else {}


def _parsed(value: object) -> object:
    """JSON in a text, as columns of exported tables hold it; else the value itself."""
    if not isinstance(value, str) or value[:1] not in "[{":
        return value
    if len(value) > _MAX_INNER:
        return None
    try:
        parsed: object = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return parsed


def _identity(top: Fields, fallback: str) -> str:
    """`id` repeats (a cache hit has the first answer's); the call's own id does not."""
    call = top.text("call", "litellm_call_id")
    request = top.text("request", "request_id")
    return f"litellm:{call}" if call else f"litellm-request:{request}" if request else fallback


def _outcome(record: _Record) -> tuple[Outcome, bool]:
    """How it ended, and whether its tokens are LiteLLM's guess."""
    error = Fields(_object(record.top.raw("error", "error_information"))
                   or _object(record.key.raw("error", "error_information")))  # fmt: skip
    if error.text("code", "error_code") == GONE:
        return "aborted", True
    if as_boolean(record.top.raw("hit", "cache_hit")):
        return "cache-hit", False
    failed = record.top.text("status") == "failure" or record.key.text("status") == "failure"
    return ("failure" if failed else "success"), False


def _tokens(record: _Record) -> dict[str, Any]:
    usage = Fields(_object(record.key.raw("usage", "usage_object")))
    prompt = Fields(_object(usage.raw("prompt", "prompt_tokens_details")))
    generated = Fields(_object(usage.raw("generated", "completion_tokens_details")))
    return {
        "prompt": counted(record.top, "prompt", "prompt_tokens"),
        "cached": counted(prompt, "cached", "cached_tokens"),
        "generated": counted(record.top, "generated", "completion_tokens"),
        "reasoning": counted(generated, "reasoning", "reasoning_tokens"),
    }


def _no_tokens() -> dict[str, Any]:
    """A cache hit repeats the tokens of the first answer, and no engine made any."""
    return {"prompt": 0, "cached": 0, "generated": 0, "reasoning": 0}


def _who(record: _Record, names: Names) -> dict[str, Any]:
    """User, team and project, and which of them LiteLLM authenticated."""
    top, key = record.top, record.key
    checked = Fields(_object(key.raw("auth", "user_api_key_auth_metadata")))
    named: dict[str, str | None] = {
        "user": key.text("user", "user_api_key_user_id", "user_api_key_user_email",
                         "user_api_key_alias") or top.text("user"),
        "team": key.text("team", "user_api_key_team_alias", "user_api_key_team_id")
        or top.text("team", "team_id"),
        "project": key.text("project", "user_api_key_project_alias", "user_api_key_project_id")
        or checked.text("project"),
    }  # fmt: skip
    authenticated = tuple(name for name, value in named.items() if value)
    end_user = top.text("end_user") or key.text("end_user", "user_api_key_end_user_id")
    for name, wanted in names.items():
        if name in named:
            named[name] = named[name] or record.claims.text(name, *wanted)
    named["project"] = named["project"] or _claimed_project(record, names)
    return {**named, "end_user": end_user, "authenticated": authenticated}


def _claimed_project(record: _Record, names: Names) -> str | None:
    """The project that the client named: a header, its metadata, or a tag like `proj:alpha`."""
    found = text(record.claims, "project", names)
    tags = (_PROJECT_TAG.fullmatch(tag) for tag in record.tags if isinstance(tag, str))
    tagged = next((tag[1] for tag in tags if tag), None)
    return found or Fields({"tag": tagged}).text("tag")


def _session(record: _Record, names: Names) -> str | None:
    """The client's session; `trace_id` is another for every request unless a header set it."""
    codex = Fields(_object(record.headers.raw(_CODEX_HEADER)))
    return (
        record.headers.text("session", *_SESSION_HEADERS)
        or codex.text("session_id")
        or text(record.claims, "session", names)
        or record.top.text("session", "session_id")
    )


def _engine(top: Fields) -> str | None:
    """The deployment's id where the owner named it, else the address that answered."""
    name = top.text("model_id")
    if name and not re.fullmatch("[0-9a-f]{64}", name):
        return name
    target = split(top.text("api_base") or "")
    return None if target is None else f"{target.host}:{target.port}"


def deployment(hidden_params: object) -> str | None:
    """The deployment that a span of LiteLLM's names in its `hidden_params`."""
    return _engine(Fields(_object(hidden_params)))


def _duration(top: Fields, start: int) -> int | None:
    try:
        end = microseconds(top.raw("end", "endTime"))
    except Unreadable:
        return None
    return max(0, end - start) // 1000
