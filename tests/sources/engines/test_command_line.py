"""Command lines of engines as their users write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.sources.engines.command_line import Command, read

PYTHON = "/usr/bin/python3.12"

COMMANDS = {
    "vllm serve org/m --max-num-seqs 64": Command("vllm", 64, "org/m", None, 8000),
    f"{PYTHON} /opt/venv/bin/vllm serve org/m --port=9001 --max_num_seqs=8": Command(
        "vllm", 8, "org/m", None, 9001
    ),
    f"{PYTHON} -m vllm.entrypoints.openai.api_server --model /models/tiny --host 0.0.0.0": Command(
        "vllm", None, "tiny", "0.0.0.0", 8000
    ),
    "vllm serve m --served-model-name alias --max-num-seqs 4 -dp 2": Command(
        "vllm", 8, "alias", None, 8000
    ),
    "vllm serve m --max-num-seqs 64 --max-num-active-seqs 16": Command("vllm", 16, "m", None, 8000),
    "vllm serve m --kv-cache-memory-bytes 20G": Command(
        "vllm", None, "m", None, 8000, kv_gpu_bytes=20 * 2**30
    ),
    "vllm serve m --kv-cache-memory=1.5g": Command(
        "vllm", None, "m", None, 8000, kv_gpu_bytes=1_500_000_000
    ),
    "vllm serve m --kv-cache-memory-bytes much": Command("vllm", None, "m", None, 8000),
    "vllm serve m --kv-cache-memory-bytes -1": Command("vllm", None, "m", None, 8000),
    "VLLM::EngineCore_DP0": Command("vllm"),
    "uv run vllm serve m": Command("vllm", None, "m", None, 8000),
    f"{PYTHON} -u -m sglang.launch_server --model-path org/m --max-running-requests 4 "
    "--port 30001": Command("sglang", 4, "org/m", None, 30001),
    "sglang::scheduler_TP0": Command("sglang"),
    "/opt/llama/llama-server -m /models/tiny.gguf -np 4 --port 8081": Command(
        "llamacpp", 4, "tiny.gguf", None, 8081, one_pool=False
    ),
    "llama-server --parallel 2 -a nice -m x.gguf": Command(
        "llamacpp", 2, "nice", None, 8080, one_pool=False
    ),
    "llama-server --n-parallel=3": Command("llamacpp", 3, None, None, 8080, one_pool=False),
    "llama-server --n-parallel 3 --kv-unified": Command("llamacpp", 3, port=8080, one_pool=True),
    "llama-server -no-kvu": Command("llamacpp", port=8080, one_pool=False),
    "llama-server -np -1": Command("llamacpp", None, None, None, 8080, one_pool=True),
    "/usr/local/bin/ollama serve": Command("ollama", None, None, None, 11434),
    "ollama runner --model /blobs/x --port 41234": Command(
        "ollama", None, None, None, 41234, runner=True
    ),
    "text-generation-launcher --model-id org/m -p 3001 --max-concurrent-requests 9": Command(
        "tgi", None, "org/m", None, 3001
    ),
    "tritonserver --model-repository /models --http-port 8010 --metrics-port=8012": Command(
        "triton", None, None, None, 8010, metrics_port=8012
    ),
    "/opt/tritonserver/bin/tritonserver --http-address 0.0.0.0": Command(
        "triton", None, None, "0.0.0.0", 8000, metrics_port=8002
    ),
    f"{PYTHON} /usr/bin/litellm --config c.yaml --port 4001": Command(
        "litellm", None, None, None, 4001
    ),
}


@pytest.mark.parametrize("line", COMMANDS)
def test_known_commands(line: str) -> None:
    """Kind, slots, model and address, whichever way they are written."""
    assert read(line.split()) == COMMANDS[line]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "bash",
        "vim vllm.py",
        "python3 train.py --model vllm",
        "ollama run llama3",
        "ollama ps",
        "vllm bench serve",
        "vllm chat --url http://x",
        "grep -r llama-serverx",
        "python3 -m nvitop",
        "prometheus --config.file=vllm.yml",
    ],
)
def test_other_commands(line: str) -> None:
    """Clients, editors and trainers are not engines."""
    assert read(line.split()) is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OLLAMA_NUM_PARALLEL": "4"}, Command("ollama", 4, None, None, 11434)),
        ({"OLLAMA_NUM_PARALLEL": "0"}, Command("ollama", None, None, None, 11434)),
        ({"OLLAMA_HOST": "0.0.0.0:5000"}, Command("ollama", None, None, "0.0.0.0", 5000)),
        ({"OLLAMA_HOST": "http://10.0.0.1:80/"}, Command("ollama", None, None, "10.0.0.1", 80)),
        ({"OLLAMA_HOST": "10.0.0.1"}, Command("ollama", None, None, "10.0.0.1", 11434)),
    ],
)
def test_ollamas_environment(environ: dict[str, str], expected: Command) -> None:
    """Ollama takes its settings from there; 0 is its word for automatic."""
    assert read(["ollama", "serve"], environ) == expected


def test_llamacpps_environment() -> None:
    """llama-server takes slots and port from there too, and the command line wins."""
    environ = {"LLAMA_ARG_N_PARALLEL": "6", "LLAMA_ARG_PORT": "9999"}
    assert read(["llama-server"], environ) == Command("llamacpp", 6, port=9999, one_pool=False)
    assert read(["llama-server", "-np", "2"], environ) == Command(
        "llamacpp", 2, port=9999, one_pool=False
    )


@pytest.mark.parametrize("port", ["0", "-1", "65536", "x", "", "9" * 99, "٣"])
def test_ports_that_are_none(port: str) -> None:
    """What cannot be a port leaves the usual one."""
    assert read(["llama-server", "--port", port]) == Command("llamacpp", port=8080, one_pool=True)


WORDS = st.lists(
    st.one_of(st.text(max_size=12), st.sampled_from(["vllm", "serve", "--port", "-np", "ollama"])),
    max_size=10,
)


@given(WORDS, st.dictionaries(st.sampled_from(["OLLAMA_HOST", "LLAMA_ARG_PORT"]), st.text()))
def test_anything_is_borne(words: list[str], environ: dict[str, str]) -> None:
    """Other people's processes may be called anything."""
    found = read(words, environ)
    if found is not None:
        assert found.port is None or 0 < found.port < 65536
        assert found.model is None or found.model.isprintable()
