"""Answers captured from real servers; see README.md."""

import os

_HERE = os.path.dirname(__file__)

PAGES = (
    "vllm/idle/metrics.txt",
    "vllm/load/metrics.txt",
    "sglang/idle/metrics.txt",
    "sglang/load/metrics.txt",
    "llamacpp/load/metrics.txt",
    "litellm/idle/metrics.txt",
    "litellm/load/metrics.txt",
    "triton/load/metrics.txt",
)
"""Every captured metrics page."""


def payload(name: str) -> bytes:
    with open(os.path.join(_HERE, name), "rb") as file:
        return file.read()
