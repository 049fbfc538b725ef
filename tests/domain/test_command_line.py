"""Command lines as they are shown: nothing that opens a door, nothing that draws."""

import pytest

from tokentop.domain.command_line import MAX_SHOWN, shown_command


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (("vllm", "serve", "Qwen/Qwen3-32B", "--port", "8000"),
         "vllm serve Qwen/Qwen3-32B --port 8000"),
        (("vllm", "serve", "m", "--api-key", "abc", "--port", "1"),
         "vllm serve m --api-key *** --port 1"),
        (("vllm", "serve", "m", "--api-key=abc"), "vllm serve m --api-key=***"),
        (("vllm", "serve", "m", "--api-key", "-abc", "x"), "vllm serve m --api-key *** x"),
        (("sglang", "--api_key", "abc"), "sglang --api_key ***"),
        (("env", "HF_TOKEN=abc", "OPENAI_API_KEY=abc", "x"),
         "env HF_TOKEN=*** OPENAI_API_KEY=*** x"),
        (("run", "--hf-token", "abc"), "run --hf-token ***"),
        (("run", "--ssl-keyfile-password", "abc"), "run --ssl-keyfile-password ***"),
        (("run", "--db", "postgres://ada:secret@db/x?sslkey=1"),
         "run --db postgres://***@db/x?sslkey=***"),
        (("curl", "-H", "Authorization: Bearer abc.def"), "curl -H Authorization: Bearer ***"),
        (("run", "hf_abcdefghijkl"), "run ***"),
        (("run", "sk-proj-abcdefghijkl"), "run ***"),
        (("vllm", "--max-num-batched-tokens", "8192", "--max-tokens", "5"),
         "vllm --max-num-batched-tokens 8192 --max-tokens 5"),
        (("vllm", "--enable-auto-tool-choice", "--tokenizer", "/m"),
         "vllm --enable-auto-tool-choice --tokenizer /m"),
        (("vllm serve m --api-key abc --port 1",), "vllm serve m --api-key *** --port 1"),
        (("worker: HF_TOKEN=abc --key=abc s3://K:abc@b/m",),
         "worker: HF_TOKEN=*** --key=*** s3://***@b/m"),
        (("redis-server --requirepass abc",), "redis-server --requirepass ***"),
        (("run", "--api-key", "--port", "1"), "run --api-key --port 1"),
        (("a", "\x1b[31mred\x1b[0m\nline\u202e"), "a red line"),
    ],
)  # fmt: skip
def test_secrets_are_hidden_and_the_rest_is_shown(argv: tuple[str, ...], shown: str) -> None:
    """The value of whatever is named like a secret, URL users, and known kinds of tokens."""
    assert shown_command(argv) == shown


def test_it_is_short() -> None:
    """However long the arguments are."""
    assert len(shown_command(["x" * 50] * 1000)) == MAX_SHOWN
