"""What the simulated engines answer: metrics pages, slots, names, and 503 while they load."""

import json
from collections.abc import Callable, Iterator
from functools import lru_cache

from tokentop.demo.answers import Answer
from tokentop.demo.counters import E2E_S, ITL_S, QUEUE_S, TTFT_S, Counted, counted
from tokentop.demo.engines import Engine, load, started_at, state_of
from tokentop.light_typing import Final

BOOTED_AT: Final = 1_767_182_400.0  # Unix seconds of the demo's second 0, for process start times
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_LOADING: Final = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
_VERSIONS: Final = {"vllm": "0.32.0", "sglang": "0.5.23", "llamacpp": "b11434-9f2d6c1"}
_CONTEXT: Final = 32768  # tokens of one llama.cpp slot


def engine_answer(engine: Engine, path: str, t: float, seed: int) -> Answer | None:
    """What a GET of `path` gives; None where nothing listens."""
    state = state_of(engine, t)
    if state == "dead":
        return None
    if state == "loading":
        return Answer(503, json.dumps(_LOADING).encode())
    make = _PATHS[engine.kind].get(path.partition("?")[0])
    if make is None:
        return Answer(404, b'{"detail": "Not Found"}')
    body = make(engine, t, seed)
    if isinstance(body, str):
        return Answer(200, body.encode(), _TEXT)
    return Answer(200, json.dumps(body).encode())


def _names(engine: Engine, _t: float, _seed: int) -> object:
    owner = {"id": engine.model, "object": "model", "owned_by": engine.kind, "max_model_len": 32768}
    return {"object": "list", "data": [owner]}


def _version(engine: Engine, _t: float, _seed: int) -> object:
    return {"version": _VERSIONS[engine.kind]}


def _health(_engine: Engine, _t: float, _seed: int) -> object:
    return {"status": "ok"}


def _vllm_metrics(engine: Engine, t: float, seed: int) -> str:
    now, total = load(engine, t, seed), _counted(engine, t, seed)
    own = f'engine="0",model_name="{engine.model}"'
    reasons = {name: getattr(total, name) for name in ("stop", "length", "abort", "error")}
    rows = [
        f"process_start_time_seconds {BOOTED_AT + started_at(engine, t):.2f}",
        f"vllm:num_requests_running{{{own}}} {now.active}",
        f"vllm:num_requests_waiting{{{own}}} {now.queued}",
        f"vllm:kv_cache_usage_perc{{{own}}} {now.kv_cache:.4f}",
        f"vllm:prompt_tokens_total{{{own}}} {total.prompted:.1f}",
        f"vllm:generation_tokens_total{{{own}}} {total.generated:.1f}",
        f"vllm:num_preemptions_total{{{own}}} {int(total.preemptions)}",
        f"vllm:prefix_cache_queries_total{{{own}}} {total.prompted:.1f}",
        f"vllm:prefix_cache_hits_total{{{own}}} {total.prefix_hits:.1f}",
    ]
    if engine.kv_gib is not None:
        size = int(engine.kv_gib * 2**30)
        rows.append(f'vllm:cache_config_info{{engine="0",kv_cache_memory_bytes="{size}"}} 1')
    rows += (
        f'vllm:request_success_total{{{own},finished_reason="{reason}"}} {count:.2f}'
        for reason, count in reasons.items()
    )
    return _page(rows, _histograms("vllm:", own, total))


def _sglang_metrics(engine: Engine, t: float, seed: int) -> str:
    now, total = load(engine, t, seed), _counted(engine, t, seed)
    own = f'engine_type="unified",model_name="{engine.model}",pp_rank="0",tp_rank="0"'
    name = f'model_name="{engine.model}"'
    requests = total.stop + total.length + total.abort + total.error
    rows = [
        f"process_start_time_seconds {BOOTED_AT + started_at(engine, t):.2f}",
        f"sglang:num_running_reqs{{{own}}} {now.active}",
        f"sglang:num_queue_reqs{{{own}}} {now.queued}",
        f"sglang:token_usage{{{own}}} {now.kv_cache:.4f}",
        f"sglang:gen_throughput{{{own}}} {now.tokens_per_s:.2f}",
        f'sglang:realtime_tokens_total{{{own},mode="decode"}} {total.generated:.1f}',
        f'sglang:realtime_tokens_total{{{own},mode="prefill_compute"}}'
        f" {total.prompted - total.prefix_hits:.1f}",
        f'sglang:realtime_tokens_total{{{own},mode="prefill_cache"}} {total.prefix_hits:.1f}',
        f"sglang:num_requests_total{{{name}}} {requests:.2f}",
        f"sglang:num_aborted_requests_total{{{name}}} {total.abort:.2f}",
        f"sglang:num_retracted_requests_total{{{own}}} {int(total.preemptions)}",
    ]
    return _page(rows, _histograms("sglang:", name, total))


def _sglang_loads(engine: Engine, t: float, seed: int) -> object:
    now = load(engine, t, seed)
    rank = {
        "dp_rank": 0,
        "num_running_reqs": now.active,
        "num_waiting_reqs": now.queued,
        "max_running_requests": engine.slots,
        "token_usage": round(now.kv_cache, 4),
        "gen_throughput": round(now.tokens_per_s, 2),
        "memory": {"kv_cache_gb": engine.kv_gib},
    }
    return {"version": _VERSIONS["sglang"], "loads": [rank]}


def _sglang_info(engine: Engine, _t: float, _seed: int) -> object:
    return {"model_path": engine.model, "is_generation": True}


def _llamacpp_props(engine: Engine, _t: float, _seed: int) -> object:
    return {
        "total_slots": engine.slots,
        "model_alias": engine.model,
        "model_path": f"/srv/models/{engine.model}-Q6_K.gguf",
        "build_info": _VERSIONS["llamacpp"],
        "is_sleeping": False,
    }


def _llamacpp_slots(engine: Engine, t: float, seed: int) -> object:
    """Agents hold the slots, with requests that outlast the loop."""
    active = load(engine, t, seed).active
    made = enumerate(_counted(engine, t, seed).slots)
    return [
        {
            "id": slot,
            "n_ctx": _CONTEXT,
            "is_processing": slot < active,
            "id_task": slot,
            "n_prompt_tokens": int(engine.prompt + tokens) + 700 * slot,
            "n_prompt_tokens_processed": int(engine.prompt) + 700 * slot,
            "next_token": [{"n_decoded": int(tokens)}],
        }
        for slot, tokens in made
    ]


def _histograms(prefix: str, own: str, total: Counted) -> Iterator[str]:
    for name, bounds, counts in (
        ("time_to_first_token_seconds", TTFT_S, total.ttft),
        ("inter_token_latency_seconds", ITL_S, total.itl),
        ("e2e_request_latency_seconds", E2E_S, total.e2e),
        ("queue_time_seconds" if prefix == "sglang:" else "request_queue_time_seconds",
         QUEUE_S, total.queue),
    ):  # fmt: skip
        for bound, count in zip((*bounds, "+Inf"), counts, strict=True):
            yield f'{prefix}{name}_bucket{{{own},le="{bound}"}} {count:.3f}'


def _page(rows: list[str], histograms: Iterator[str]) -> str:
    return "\n".join((*rows, *histograms, ""))


@lru_cache(maxsize=8)
def _counted(engine: Engine, t: float, seed: int) -> Counted:
    return counted(engine, t, seed)


_Make = Callable[[Engine, float, int], object]
_PATHS: Final[dict[str, dict[str, _Make]]] = {
    "vllm": {
        "/metrics": _vllm_metrics, "/version": _version, "/v1/models": _names, "/health": _health,
    },
    "sglang": {
        "/metrics": _sglang_metrics, "/v1/loads": _sglang_loads, "/v1/models": _names,
        "/get_model_info": _sglang_info,
    },
    "llamacpp": {
        "/props": _llamacpp_props, "/slots": _llamacpp_slots, "/v1/models": _names,
        "/health": _health,
    },
}  # fmt: skip
