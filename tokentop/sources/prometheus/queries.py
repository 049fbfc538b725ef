"""The instant queries of one poll: as many for a thousand engines as for one.

Each is aggregated to the labels that are read, so that answers stay small, and takes the maximum
over what repeats itself (SGLang's ranks, a pair of Prometheus replicas) before it adds up.
https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
"""

from functools import cache

PATH = "/api/v1/query"
WINDOW_S = 60
LONG_WINDOW_S = 300  # where engines are scraped less often than twice a minute
LAST_SEEN = "15m"  # for so long an engine that cannot be scraped is shown as down
TOP_ACCOUNTS = 200

INSTANCE = ("cluster", "job", "instance", "exported_job", "exported_instance")
SHOWN = ("pod", "model", "model_name", "exported_model_name", "name")
APART = (
    "engine", "exported_engine", "model_name", "exported_model_name", "dp_rank", "server",
    "finished_reason", "reason", "err", "method", "mode", "is_streaming",
)  # fmt: skip
DEVICE = ("UUID", "uuid", "gpu", "modelName", "Hostname", "GPU_I_ID", "GPU_I_PROFILE")

RUNNING = (
    "vllm:num_requests_running", "sglang:num_running_reqs", "llamacpp:requests_processing",
    "tgi_batch_current_size", "litellm_in_flight_requests",
)  # fmt: skip
GAUGES = (
    *RUNNING,
    "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc",
    "sglang:num_queue_reqs", "sglang:token_usage", "sglang:gen_throughput",
    "llamacpp:requests_deferred", "llamacpp:kv_cache_usage_ratio",
    "tgi_queue_size", "tgi_batch_current_max_tokens", "tgi_batch_max_total_tokens",
)  # fmt: skip
WITH_COLON = ("vllm", "sglang", "llamacpp")
ASLEEP = 'vllm:engine_sleep_state{sleep_state="awake"}==0'
DCGM = (
    "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_FB_TOTAL",
    "DCGM_FI_DEV_FB_RESERVED", "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
    "DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_POWER_MGMT_LIMIT",
    "dcgm_fb_used", "dcgm_fb_free", "dcgm_gpu_utilization", "dcgm_gpu_temp", "dcgm_power_usage",
)  # fmt: skip
SMI = (
    "nvidia_smi_memory_used_bytes", "nvidia_smi_memory_total_bytes",
    "nvidia_smi_utilization_gpu_ratio", "nvidia_smi_temperature_gpu",
    "nvidia_smi_power_draw_watts", "nvidia_smi_enforced_power_limit_watts", "nvidia_smi_gpu_info",
)  # fmt: skip

PROMPT = (
    "vllm:prompt_tokens_total", 'sglang:realtime_tokens_total{mode=~"prefill_.*"}',
    "sglang:prompt_tokens_total", "llamacpp:prompt_tokens_total", "tgi_request_input_length_sum",
)  # fmt: skip
GENERATED = (
    "vllm:generation_tokens_total", 'sglang:realtime_tokens_total{mode="decode"}',
    "sglang:generation_tokens_total", "llamacpp:tokens_predicted_total",
    "tgi_request_generated_tokens_sum",
)  # fmt: skip
REQUESTS = (
    "vllm:request_success_total", "sglang:num_requests_total", "tgi_request_success",
    "tgi_request_success_total",
)  # fmt: skip
PREEMPTIONS = ("vllm:num_preemptions_total", "sglang:num_retracted_requests_total")
REJECTIONS = ("vllm:admission_rejections_total", 'tgi_request_failure{err="overloaded"}')
HITS = ("vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total")
LOOKUPS = ("vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total")
ENDED = ("vllm:request_success_total",)
ABORTED = ("sglang:num_aborted_requests_total",)
FAILED = ('tgi_request_failure{err!="overloaded"}',)
TTFT = ("vllm:time_to_first_token_seconds", "sglang:time_to_first_token_seconds")
ITL = (
    "vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds",
    "sglang:inter_token_latency_seconds", "sglang:time_per_output_token_seconds",
    "tgi_request_mean_time_per_token_duration",
)  # fmt: skip
ROUTED = {
    "p": "litellm_input_tokens_metric_total",
    "g": "litellm_output_tokens_metric_total",
    "r": "litellm_requests_metric_total",
}


class Window:
    """Builds the terms that speak of the last `seconds`; `instance` labels tell targets apart."""

    def __init__(self, seconds: int, instance: tuple[str, ...]) -> None:
        self._for = f"[{seconds}s]"
        self._instance = ",".join(instance)
        self._apart = ",".join((*instance, *(x for x in APART if x not in instance)))

    def rates(self, series: tuple[str, ...]) -> str:
        """Increases per second; where one engine has several of these series, the first."""
        return " or ".join(f"rate({name}{self._for})" for name in spelled(series))

    def added(self, letter: str, series: tuple[str, ...], kept: str = "") -> str:
        """Rates added up over each target, as rows whose label q is `letter`."""
        by = f"{self._instance},{kept}" if kept else self._instance
        return marked(letter, f"sum by({by})(max by({self._apart})({self.rates(series)}))")

    def routed(self, letter: str) -> str:
        """The same of a router, whose series differ in who asked: nothing there repeats itself."""
        return marked(letter, f"sum by({self._instance})({self.rates((ROUTED[letter],))})")

    def total(self, letter: str, series: str, kept: str = "") -> str:
        """Counts since the servers started."""
        by = f"{self._instance},{kept}" if kept else self._instance
        either = " or ".join(spelled((series,)))
        return marked(letter, f"sum by({by})(max by({self._apart})({either}))")

    def quantile(self, letter: str, q: float, bases: tuple[str, ...]) -> str:
        """A quantile for each target; comparing drops the NaN of those without observations."""
        found = f"sum by({self._instance},le)({self._buckets(bases)})"
        return marked(letter, f"histogram_quantile({q},{found})>=0")

    def merged(self, letter: str, bases: tuple[str, ...], by: str) -> str:
        """Buckets over all replicas of a model: quantiles of these are right, means are not."""
        return marked(letter, f"sum by({by},le)({self._buckets(bases)})")

    def _buckets(self, bases: tuple[str, ...]) -> str:
        return self.rates(tuple(f"{base}_bucket" for base in bases))


def spelled(series: tuple[str, ...]) -> tuple[str, ...]:
    """The series under both their names: some client libraries escape the colon on the wire."""
    return (*series, *(one.replace(":", "_", 1) for one in series if ":" in one))


def plain(name: str) -> str:
    """A series' own name, with its colon."""
    engine, _, rest = name.partition("_")
    return f"{engine}:{rest}" if engine in WITH_COLON and rest else name


def marked(letter: str, expression: str) -> str:
    """Rows of `expression` with the label q = `letter`, so that several fit into one answer."""
    return f'label_replace({expression},"q","{letter}","","")'


@cache
def queries(group_by: str | None, window_s: int = WINDOW_S) -> tuple[tuple[str, str], ...]:
    """(name, PromQL) of all that is asked in one poll."""
    return (*standing(group_by), *moving(group_by, window_s))


def standing(group_by: str | None) -> tuple[tuple[str, str], ...]:
    """What is so now: gauges, ages, GPUs, and who cannot be scraped."""
    instance = identity(group_by)
    shown = ",".join(dict.fromkeys(("__name__", *instance, *SHOWN)))
    apart = ",".join(dict.fromkeys(("__name__", *instance, *APART[:6], *SHOWN, "priority")))
    ages = " or ".join(f"timestamp({name})" for name in spelled(RUNNING))
    asleep = " or ".join(spelled((ASLEEP,)))
    last = f"last_over_time({_names(RUNNING)}[{LAST_SEEN}])"
    return (
        ("gauges", f"max by({apart})({_names(GAUGES)} or {asleep})"),
        ("ages", f"max by({','.join(instance)})({ages})"),
        ("down", f"max by({shown})({last} and on(cluster,job,instance) up==0)"),
        ("gpus", _gpus()),
    )


def moving(group_by: str | None, window_s: int) -> tuple[tuple[str, str], ...]:
    """What happened over the last `window_s` seconds."""
    over = Window(window_s, identity(group_by))
    by = ",".join(dict.fromkeys(("model_name", *((group_by,) if group_by else ()))))
    return (
        ("rates", _either(
            over.added("p", PROMPT, "mode"), over.added("g", GENERATED, "mode"),
            over.added("r", REQUESTS), *map(over.routed, ROUTED),
        )),
        ("events", _either(
            over.added("v", PREEMPTIONS), over.added("j", REJECTIONS),
            over.added("h", HITS), over.added("k", LOOKUPS),
            over.added("f", ENDED, "finished_reason"),
            over.added("a", ABORTED), over.added("e", FAILED),
        )),
        ("latency", _either(
            over.quantile("t50", 0.5, TTFT), over.quantile("t95", 0.95, TTFT),
            over.quantile("i50", 0.5, ITL), over.quantile("i95", 0.95, ITL),
        )),
        ("totals", _either(
            over.merged("t", TTFT, by), over.merged("i", ITL, by),
            over.total("V", PREEMPTIONS[0]), over.total("F", ENDED[0], "finished_reason"),
            _accounts("$", "litellm_spend_metric_total", identity(group_by)),
            _accounts("#", "litellm_total_tokens_metric_total", identity(group_by)),
        )),
    )  # fmt: skip


def path(promql: str) -> str:
    """What is asked below the server's URL (which may end in a prefix); below 8 kB by far."""
    from urllib.parse import quote

    return f"{PATH}?query={quote(promql, safe='(),:|')}"


def identity(group_by: str | None) -> tuple[str, ...]:
    """The labels that tell targets apart, with the one that was picked to group by."""
    return tuple(dict.fromkeys((*INSTANCE, *((group_by,) if group_by else ()))))


def _either(*terms: str) -> str:
    return " or ".join(terms)


def _names(names: tuple[str, ...]) -> str:
    both = "|".join(names).replace(":", "[:_]")
    return f'{{__name__=~"{both}"}}'


def _gpus() -> str:
    device = ",".join(("__name__", *DEVICE))
    smi = "__name__,uuid,name,index,instance"
    return f"max by({device})({_names(DCGM)}) or max by({smi})({_names(SMI)})"


def _accounts(letter: str, series: str, instance: tuple[str, ...]) -> str:
    by = ",".join((*instance, "team_alias", "team", "api_key_alias"))
    return marked(letter, f"topk({TOP_ACCOUNTS},sum by({by})({series}))")
