"""Claude Code as a client: its captured request, and the program itself where it is installed."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import httpx

from tests.payloads import payload

CLAUDE = shutil.which("claude")
NO_CLAUDE = "no Claude Code: npm install -g @anthropic-ai/claude-code"
PATIENCE_S = 60.0
_OWN = ("content-length", "host", "connection", "x-api-key", "accept-encoding")  # the connection's


def replayed(url: str, key: str) -> httpx.Response:
    """The answer to its captured headers, with a small prompt in place of its own."""
    captured = json.loads(payload("usage/claude_code/request_to_the_model_server.json"))
    headers = {name: each for name, each in captured["headers"].items()
               if name.lower() not in _OWN}  # fmt: skip
    body = {"model": "tiny", "max_tokens": 8, "messages": [{"role": "user", "content": "hi"}],
            "metadata": captured["metadata"]}  # fmt: skip
    return httpx.post(
        url + captured["path"], json=body, headers={**headers, "authorization": f"Bearer {key}"}
    )


def asked(url: str, key: str, home: Path) -> str:
    """What the program prints when it is asked something."""
    env = {
        "PATH": os.environ["PATH"], "HOME": str(home), "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_AUTH_TOKEN": key, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }  # fmt: skip
    words = [str(CLAUDE), "-p", "say hello", "--model", "tiny"]
    done = subprocess.run(
        words, cwd=home, env=env, capture_output=True, text=True, timeout=PATIENCE_S,
        stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    return done.stdout
