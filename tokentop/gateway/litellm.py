"""The plugin for LiteLLM's proxy: litellm_settings.callbacks: [tokentop.gateway.litellm.instance].

Delivers each call at least once, where LiteLLM's generic callback forgets those that nobody took;
asks before each request, and while a stream runs, whether its project may spend. Of prompts and
answers nothing is kept: chunks are counted.
"""

import os
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping

from tokentop.gateway.authority import Authority, Refused
from tokentop.gateway.delivery import Delivery, log
from tokentop.gateway.settings import settings
from tokentop.gateway.spool import Spool
from tokentop.light_typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Base = object
else:
    try:
        from litellm.integrations.custom_logger import CustomLogger as Base
    except ImportError:  # tests and type checks do without it
        Base = object

PATH = "/v1/litellm"
MESSAGES = "anthropic_messages"  # LiteLLM's name of the call type
CHECK_S = 1.0  # between two questions about a stream
_DELTA = re.compile(r'"type": ?"(?:content_block_delta|response\.[a-z_.]+\.delta)"')
STREAMS = 10_000  # whose chunks are counted at once
_SECRET = re.compile(r"\b(api_?key|key|token|secret|auth|authorization|password|cookie)\b")
GONE = "499"  # how LiteLLM marks an answer that was not sent to its end

# What usage is read from; messages, answers, tracebacks and price lists are left out.
_TOP = (
    "litellm_call_id", "id", "startTime", "endTime", "status", "cache_hit", "model", "model_group",
    "model_id", "custom_llm_provider", "api_base", "prompt_tokens", "completion_tokens",
    "response_cost", "request_tags", "end_user", "session_id",
)  # fmt: skip
_METADATA = (
    "user_api_key_user_id", "user_api_key_user_email", "user_api_key_alias",
    "user_api_key_team_id", "user_api_key_team_alias", "user_api_key_project_id",
    "user_api_key_project_alias", "user_api_key_end_user_id", "user_api_key_auth_metadata",
    "usage_object", "spend_logs_metadata", "requester_metadata", "requester_custom_headers",
)  # fmt: skip


class StreamEnded(Exception):
    """Ends a stream with an event that names the reason; an HTTPException breaks the connection.

    LiteLLM reads these attributes.
    """

    type = "budget_exceeded"
    param = None

    def __init__(self, refused: Refused) -> None:
        self.message, self.status_code = _sentence(refused), refused.status
        super().__init__(self.message)


class _Stream:
    """A stream under way: its tokens sent so far, as far as a chunk is a token."""

    def __init__(self) -> None:
        self.start = time.time()
        self.sent = 0
        self.is_ended = False  # by us
        self.checked = time.monotonic()


class TokentopPlugin(Base):
    """The callbacks that LiteLLM's proxy calls, as of 1.105 and 1.109."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        given = settings(environ)
        self._spool = Spool(given.spool)
        self._delivery = Delivery(given, self._spool, PATH)
        self._authority = Authority(given)
        self._streams: OrderedDict[str, _Stream] = OrderedDict()
        self._delivery.start()  # what an earlier run left is sent now

    async def async_pre_call_hook(
        self,
        user_api_key_dict: Any,
        cache: Any,
        data: dict[str, Any],
        call_type: str,
    ) -> dict[str, Any]:
        """Before anything is sent to an engine: refuse, or let through."""
        refused = await self._authority.refusal(_who(user_api_key_dict, data))
        if refused is not None:
            raise _for_messages(refused) if call_type == MESSAGES else _exception(refused)
        return data

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: AsyncIterator[Any], request_data: dict[str, Any]
    ) -> AsyncIterator[Any]:
        """Pass a stream on and count it; end it where its project may not spend any more."""
        stream = self._watch(str(request_data.get("litellm_call_id")))
        who = _who(user_api_key_dict, request_data)
        async for chunk in response:
            stream.sent += _tokens(chunk)
            yield chunk
            if time.monotonic() - stream.checked >= CHECK_S:
                refused = await self._authority.refusal(who)
                stream.checked = time.monotonic()
                if refused is not None:
                    self._end(stream, user_api_key_dict, request_data)
                    raise StreamEnded(refused)

    def _watch(self, call: str) -> _Stream:
        stream = self._streams[call] = _Stream()
        while len(self._streams) > STREAMS:
            self._streams.popitem(last=False)
        return stream

    def _end(self, stream: _Stream, key: Any, data: Mapping[str, Any]) -> None:
        """Book what was sent: LiteLLM calls this a failure, of no tokens."""
        stream.is_ended = True
        metadata = data.get("metadata") or data.get("litellm_metadata") or {}
        self._add({
            "litellm_call_id": data.get("litellm_call_id"),
            "startTime": stream.start,
            "endTime": time.time(),
            "status": "success",
            "error_information": {"error_code": GONE},
            "model_group": data.get("model"),
            "prompt_tokens": _prompt_tokens(data),
            "completion_tokens": stream.sent,
            "metadata": {
                **_known(metadata, _METADATA),
                **{f"user_api_key_{name}": getattr(key, name, None) for name in _KEY},
                "user_api_key_alias": getattr(key, "key_alias", None),
                "user_api_key_auth_metadata": getattr(key, "metadata", None),
                "requester_custom_headers": _headers(data),
            },
        })  # fmt: skip

    async def async_log_success_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,
        start_time: Any,
        end_time: Any,
    ) -> None:
        """A call that ended; of one whose client hung up the chunks are what was generated."""
        record = _slim(kwargs)
        stream = self._streams.pop(str(record.get("litellm_call_id")), None)
        error = record.get("error_information") or {}
        if stream is not None and str(error.get("error_code")) == GONE:
            record["completion_tokens"] = stream.sent
        if stream is None or not stream.is_ended:
            self._add(record)

    async def async_log_failure_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,
        start_time: Any,
        end_time: Any,
    ) -> None:
        """A call that failed; one that was ended here is booked already."""
        record = _slim(kwargs)
        stream = self._streams.pop(str(record.get("litellm_call_id")), None)
        if stream is None or not stream.is_ended:
            self._add(record)

    def _add(self, record: Mapping[str, Any]) -> None:
        if record.get("litellm_call_id") is None:
            return
        try:
            self._spool.add(record)
        except OSError as error:
            log.error("a call is not booked: %s", error.strerror or error)
        self._delivery.start()
        self._delivery.wake()


_KEY = ("user_id", "user_email", "team_id", "team_alias", "project_id", "project_alias",
        "end_user_id")  # fmt: skip


def _slim(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What is booked of LiteLLM's record of a call."""
    whole = kwargs.get("standard_logging_object") or {}
    error = whole.get("error_information") or {}
    metadata = _known(whole.get("metadata") or {}, _METADATA)
    if isinstance(sent := metadata.get("requester_custom_headers"), Mapping):
        metadata["requester_custom_headers"] = _public(sent)
    return {
        **_known(whole, _TOP),
        "error_information": _known(error, ("error_code",)),
        "metadata": metadata,
    }


def _known(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}


def _who(key: Any, data: Mapping[str, Any]) -> dict[str, str | None]:
    """As the ledger names them: by the key, and the project by a header where the key has none."""
    checked = getattr(key, "metadata", None) or {}
    return {
        "user": getattr(key, "user_id", None) or getattr(key, "user_email", None)
        or getattr(key, "key_alias", None),
        "team": getattr(key, "team_alias", None) or getattr(key, "team_id", None),
        "project": getattr(key, "project_alias", None) or getattr(key, "project_id", None)
        or checked.get("project") or _headers(data).get("x-project"),
    }  # fmt: skip


def _headers(data: Mapping[str, Any]) -> dict[str, Any]:
    """The client's own x-headers."""
    request = data.get("proxy_server_request") or {}
    sent = request.get("headers") or {}
    return _public({name: each for name, each in sent.items() if str(name).startswith("x-")})


def _public(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Headers without a client's own keys, which LiteLLM may be set to forward."""
    return {name: each for name, each in headers.items() if not _SECRET.search(str(name).lower())}


def _tokens(chunk: Any) -> int:
    """1 for a chunk with text, reasoning or a tool call in it: engines send a token a chunk.

    Of the Responses API it is an event, of Anthropic's text with one or more.
    """
    if isinstance(chunk, str | bytes):
        return len(_DELTA.findall(chunk if isinstance(chunk, str) else chunk.decode("latin-1")))
    kind = getattr(chunk, "type", None)
    if str(getattr(kind, "value", kind)).endswith(".delta"):
        return 1
    for choice in getattr(chunk, "choices", None) or ():
        delta = getattr(choice, "delta", None) or choice
        if any(getattr(delta, name, None) for name in _PARTS):
            return 1
    return 0


_PARTS = ("content", "text", "reasoning_content", "tool_calls", "function_call")


def _prompt_tokens(data: Mapping[str, Any]) -> int | None:
    """LiteLLM's own estimate, as for calls whose client hung up."""
    try:
        from litellm import token_counter

        found: int = token_counter(model=data.get("model"), messages=data.get("messages"))
    except Exception:  # noqa: BLE001  # whatever it is, the rest must be booked
        return None
    return found


def _exception(refused: Refused) -> Exception:
    from fastapi import HTTPException

    made: Exception = HTTPException(refused.status, refused.detail, refused.headers)
    return made


def _for_messages(refused: Refused) -> Exception:
    """LiteLLM's /v1/messages drops an HTTPException's headers, and Claude Code would try again."""
    from litellm.proxy._types import ProxyException

    made: Exception = ProxyException(
        message=_sentence(refused), type="budget_exceeded", param=None, code=refused.status,
        headers=refused.headers,
    )  # fmt: skip
    return made


def _sentence(refused: Refused) -> str:
    error = refused.detail.get("error")
    return str(error.get("message") if isinstance(error, Mapping) else error)


def __getattr__(name: str) -> TokentopPlugin:
    """`instance` is made when LiteLLM looks for it: it begins to send what is in the spool."""
    if name != "instance":
        raise AttributeError(name)
    made: TokentopPlugin = globals().setdefault(name, TokentopPlugin())
    return made
