"""A fleet to be scraped: N vLLM servers, one of each other kind, and their GPUs, on one port.

Every figure is a function of the server's number and the time, so that a test can say what a
Prometheus that scrapes it must come to.
"""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TTFT_BOUNDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0,
               7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0)  # fmt: skip
ITL_BOUNDS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5,
              10.0, 20.0, 40.0, 80.0)  # fmt: skip
GPUS_PER_NODE = 8
MODELS = ("llama-70b", "qwen-32b", "mistral-24b")


def model(number: int) -> str:
    return MODELS[number % len(MODELS)]


def vllm(number: int, t: float) -> str:
    """Runs number % 9, queues number % 4, makes 100 + number tokens a second, a request a second.

    Half of all requests wait 0.05 s for the first token, half 0.5 s; one in four ends by length.
    """
    own = f'engine="0",model_name="{model(number)}"'
    rows = [
        f"vllm:num_requests_running{{{own}}} {number % 9}",
        f"vllm:num_requests_waiting{{{own}}} {number % 4}",
        f"vllm:kv_cache_usage_perc{{{own}}} {(number % 90) / 100}",
        f"vllm:prompt_tokens_total{{{own}}} {300 * t}",
        f"vllm:generation_tokens_total{{{own}}} {(100 + number) * t}",
        f"vllm:num_preemptions_total{{{own}}} {number % 2}",
        f"vllm:prefix_cache_queries_total{{{own}}} {300 * t}",
        f"vllm:prefix_cache_hits_total{{{own}}} {150 * t}",
    ]
    ended = {"stop": 0.75, "length": 0.25, "abort": 0.0, "error": 0.0, "repetition": 0.0}
    rows += [
        f'vllm:request_success_total{{{own},finished_reason="{reason}"}} {share * t}'
        for reason, share in ended.items()
    ]
    rows += _histogram("vllm:time_to_first_token_seconds", own, TTFT_BOUNDS, (0.05, 0.5), t)
    rows += _histogram("vllm:inter_token_latency_seconds", own, ITL_BOUNDS, (0.02, 0.02), 100 * t)
    return "\n".join(rows) + "\n"


def sglang(t: float) -> str:
    """Two data-parallel ranks of two tensor-parallel ones each: 4 + 4 run, 10 + 10 tokens/s."""
    rows = []
    for rank in ((dp, tp) for dp in range(2) for tp in range(2)):
        own = f'model_name="deepseek",dp_rank="{rank[0]}",tp_rank="{rank[1]}"'
        rows += [
            f'sglang:num_running_reqs{{{own},priority=""}} 4',
            f'sglang:num_running_reqs{{{own},priority="1"}} 3',
            f'sglang:num_queue_reqs{{{own},priority=""}} 1',
            f"sglang:token_usage{{{own}}} {0.25 + rank[0] / 2}",
            f"sglang:fwd_occupancy{{{own}}} NaN",
            f'sglang:realtime_tokens_total{{{own},mode="decode"}} {10 * t}',
            f'sglang:realtime_tokens_total{{{own},mode="prefill_compute"}} {30 * t}',
            f'sglang:realtime_tokens_total{{{own},mode="prefill_cache"}} {10 * t}',
        ]
    rows.append('sglang:generation_tokens_total{model_name="deepseek"} 7')
    return "\n".join(rows) + "\n"


def llamacpp(t: float) -> str:
    return (
        "llamacpp:requests_processing 2\nllamacpp:requests_deferred 0\n"
        f"llamacpp:prompt_tokens_total {5 * t}\nllamacpp:tokens_predicted_total {20 * t}\n"
    )


def tgi(t: float) -> str:
    return (
        "tgi_batch_current_size 6\ntgi_queue_size 1\n"
        f"tgi_request_generated_tokens_sum {50 * t}\n"
        f'tgi_request_success{{method="generate"}} {t}\n'
    )


def litellm(t: float) -> str:
    """Repeats what the engines make; two teams have spent 3 and 5 USD."""
    rows = ["litellm_in_flight_requests 4"]
    for team, usd in (("red", 3.0), ("None", 5.0)):
        own = f'team="{team}",team_alias="{team}",api_key_alias="k",model="m",user="u{team}"'
        rows.append(f"litellm_spend_metric_total{{{own}}} {usd}")
        rows.append(f"litellm_output_tokens_metric_total{{{own}}} {1000 * t}")
    return "\n".join(rows) + "\n"


def dcgm(node: int) -> str:
    """Eight GPUs: (10 * i) GiB used of 80, 10 * i per cent; the power limit is not supported."""
    rows = []
    for i in range(GPUS_PER_NODE):
        own = (
            f'gpu="{i}",UUID="GPU-{node:08x}-0000-0000-0000-{i:012x}",device="nvidia{i}",'
            f'modelName="NVIDIA H100 80GB HBM3",Hostname="node{node}",'
            f'DCGM_FI_DRIVER_VERSION="570.1",pod="vllm-{node}",namespace="serving"'
        )
        rows += [
            f"DCGM_FI_DEV_FB_USED{{{own}}} {10240 * i}",
            f"DCGM_FI_DEV_FB_FREE{{{own}}} {81920 - 10240 * i}",
            f"DCGM_FI_DEV_GPU_UTIL{{{own}}} {10 * i}",
            f"DCGM_FI_DEV_GPU_TEMP{{{own}}} {40 + i}",
            f"DCGM_FI_DEV_POWER_USAGE{{{own}}} {100.5 + i}",
            f"DCGM_FI_DEV_POWER_MGMT_LIMIT{{{own}}} 140737488355328",
        ]
    return "\n".join(rows) + "\n"


def nvidia_smi() -> str:
    own = 'uuid="df6e7a7c-7314-46f8-abc4-b88b36dcf3aa"'
    return (
        f'nvidia_smi_gpu_info{{{own},name="RTX 4090",index="0",driver_version="570"}} 1\n'
        f"nvidia_smi_memory_used_bytes{{{own}}} {2**30}\n"
        f"nvidia_smi_memory_total_bytes{{{own}}} {24 * 2**30}\n"
        f"nvidia_smi_utilization_gpu_ratio{{{own}}} 0.5\n"
    )


def _histogram(
    name: str, own: str, bounds: tuple[float, ...], values: tuple[float, float], count: float
) -> Iterator[str]:
    for bound in bounds:
        below = sum(value <= bound for value in values) / 2 * count
        yield f'{name}_bucket{{{own},le="{bound}"}} {below}'
    yield f'{name}_bucket{{{own},le="+Inf"}} {count}'
    yield f"{name}_count{{{own}}} {count}"
    yield f"{name}_sum{{{own}}} {sum(values) / 2 * count}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Scrapes that break off when Prometheus ends are no news."""


class Exporter:
    """All of it on one loopback port; /broken serves until `broken` is set."""

    def __init__(self) -> None:
        self.broken = False
        self._started = time.monotonic()
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                page = exporter.page(self.path)
                body = (page or "").encode()
                self.send_response(500 if page is None else 200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def __enter__(self) -> "Exporter":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(self, path: str) -> str | None:
        """The page at /KIND or /KIND/NUMBER; None is an error."""
        t = 1000.0 + time.monotonic() - self._started
        _, kind, *rest = path.split("/")
        number = int(rest[0]) if rest else 0
        if kind == "vllm" or (kind == "broken" and not self.broken):
            return vllm(number, t)
        if kind in ("dcgm", "smi"):
            return dcgm(number) if kind == "dcgm" else nvidia_smi()
        others = {"sglang": sglang, "llamacpp": llamacpp, "tgi": tgi, "litellm": litellm}
        return others[kind](t) if kind in others else None

    def config(self, engines: int, seconds: float) -> str:
        """A prometheus.yml that scrapes all of it every so many seconds."""
        targets = [
            ("vllm", f"/vllm/{n}", f"node{n // 8}:{8000 + n % 8}", n) for n in range(engines)
        ]
        targets += [("dcgm", f"/dcgm/{n}", f"node{n}:9400", n * 8) for n in range(-(-engines // 8))]
        kinds = ("sglang", "llamacpp", "tgi", "litellm", "smi", "broken")
        targets += [(kind, f"/{kind}", f"{kind}.example:80", 0) for kind in kinds]
        ms = round(seconds * 1000)
        lines = [f"global: {{scrape_interval: {ms}ms, scrape_timeout: {ms}ms}}"]
        lines.append("scrape_configs:")
        for job in dict.fromkeys(job for job, *_ in targets):
            lines += [f"- job_name: {job}", "  static_configs:"]
            lines += [
                f'  - {{targets: ["127.0.0.1:{self.port}"], labels: {{__metrics_path__: "{path}",'
                f' instance: "{instance}", cluster: "c{number % 4}", pod: "{job}-{number}"}}}}'
                for name, path, instance, number in targets
                if name == job
            ]
        return "\n".join(lines) + "\n"
