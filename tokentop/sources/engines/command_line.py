"""What an engine's command line and environment say: its kind, address, model and seats.

Read from other people's processes, so everything is bounded and made safe.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.text import clean

MAX_WORDS = 4096
MAX_SLOTS = 1_000_000

PORTS: Mapping[EngineKind, int] = {
    "vllm": 8000,
    "sglang": 30000,
    "llamacpp": 8080,
    "ollama": 11434,
    "tgi": 3000,
    "litellm": 4000,
}
_PROGRAMS: tuple[tuple[EngineKind, re.Pattern[str]], ...] = (
    ("llamacpp", re.compile(r"(?:llama-server|llama\.cpp-server|llamafile)(?:\.exe)?")),
    ("ollama", re.compile(r"ollama")),
    ("litellm", re.compile(r"litellm")),
    ("tgi", re.compile(r"text-generation-(?:launcher|router|server)")),
    ("vllm", re.compile(r"vllm|vllm::.*|vllm\.entrypoints\..*")),
    ("sglang", re.compile(r"sglang|sglang::.*|sglang\.launch_server|sglang\.srt\..*")),
)
_INTERPRETERS = re.compile(r"(?:python|pypy|uv|run|bash|sh|env|tini|dumb-init|nice|sudo)[0-9.]*")
_SERVERS = {"ollama": ("serve", "runner"), "vllm": ("serve",), "sglang": ("serve",)}
SLOT_FLAGS: Mapping[EngineKind, tuple[tuple[str, ...], ...]] = {
    "vllm": (("--max-num-active-seqs",), ("--max-num-seqs",)),  # the first caps the second
    "sglang": (("--max-running-requests",),),
    "llamacpp": (("-np", "--parallel", "--n-parallel"),),
}
_MODELS: Mapping[EngineKind, tuple[tuple[str, ...], ...]] = {
    "vllm": (("--served-model-name",), ("--model",)),
    "sglang": (("--served-model-name",), ("--model-path", "--model")),
    "llamacpp": (("-a", "--alias"), ("-m", "--model"), ("-hf", "-hfr", "--hf-repo")),
    "tgi": (("--model-id",),),
}


class Command(NamedTuple):
    """What one command line says; unknown is None."""

    kind: EngineKind
    slots: int | None = None
    model: str | None = None
    host: str | None = None
    port: int | None = None  # the kind's usual one where none is named
    runner: bool = False  # started by an engine for one model


def read(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Command | None:
    """The engine that this command line starts, or None where it starts none."""
    words = [word for word in argv[:MAX_WORDS] if word]
    environ = environ or {}
    kind = kind_of(words)
    if kind is None:
        return None
    options = _options(words)
    host, port = _address(kind, options, environ)
    runner = kind == "ollama" and "runner" in words[1:3]
    worker = "::" in words[0]  # vLLM and SGLang name their workers so; they listen nowhere
    port = port or (None if runner or worker else PORTS.get(kind))
    return Command(
        kind, _slots(kind, options, environ), _model(kind, words, options), host, port, runner
    )


def kind_of(words: Sequence[str]) -> EngineKind | None:
    """The engine named by the program, or by the script or module that an interpreter runs."""
    for place, word in enumerate(words[:12]):
        name = word.rsplit("/", 1)[-1].lower()
        for kind, pattern in _PROGRAMS:
            if pattern.fullmatch(name):
                return kind if _serves(name, words[place + 1 : place + 2]) else None
        passed_by = word.startswith("-") or "=" in word or _INTERPRETERS.fullmatch(name)
        if not passed_by and not (place and words[place - 1] in ("-X", "-W", "-n")):
            return None
    return None


def _serves(name: str, following: Sequence[str]) -> bool:
    """False for the clients that come in the same program, such as `ollama run`."""
    wanted = _SERVERS.get(name)
    return wanted is None or (bool(following) and following[0] in wanted)


def _options(words: Sequence[str]) -> dict[str, str]:
    """Values by option, `--a=b` and `--a b` alike, `_` as `-`; the last one counts."""
    found: dict[str, str] = {}
    for place, word in enumerate(words):
        if not word.startswith("-"):
            continue
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            name = name.replace("_", "-")
        following = words[place + 1] if place + 1 < len(words) else ""
        found[name] = value if equals else following
    return found


def _first(options: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((options[name] for name in names if options.get(name)), None)


def _slots(kind: EngineKind, options: Mapping[str, str], environ: Mapping[str, str]) -> int | None:
    if kind == "ollama":
        return _positive(environ.get("OLLAMA_NUM_PARALLEL"))
    named = (_positive(_first(options, names)) for names in SLOT_FLAGS.get(kind, ()))
    slots = next((n for n in named if n), None)
    if slots is None and kind == "llamacpp":
        return _positive(environ.get("LLAMA_ARG_N_PARALLEL"))
    if slots is not None and kind == "vllm":  # each data-parallel engine has so many
        slots *= _positive(_first(options, ("--data-parallel-size", "-dp"))) or 1
    return slots


def _model(kind: EngineKind, words: Sequence[str], options: Mapping[str, str]) -> str | None:
    named = (_first(options, names) for names in _MODELS.get(kind, ()))
    name: str | None = next((n for n in named if n), None)
    if name is None and kind == "vllm" and "serve" in words[:6]:
        following = words[words.index("serve") + 1 :][:1]
        name = next((word for word in following if not word.startswith("-")), None)
    if name is None:
        return None
    return clean(name.rsplit("/", 1)[-1] if name.startswith(("/", ".")) else name) or None


def _address(
    kind: EngineKind, options: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[str | None, int | None]:
    if kind == "ollama" and (named := environ.get("OLLAMA_HOST")):
        before, _, after = named.rpartition("://")[2].rstrip("/").rpartition(":")
        return (clean(before), _port(after)) if _port(after) else (clean(after) or None, None)
    ports = ("--port", "-p") if kind == "tgi" else ("--port",)
    host = _first(options, ("--host", "--hostname"))
    port = _first(options, ports) or (environ.get("LLAMA_ARG_PORT") if kind == "llamacpp" else None)
    return (clean(host) if host else None), _port(port)


def _positive(text: str | None) -> int | None:
    """A whole number from 1; 0 and -1 mean `automatic` to every engine."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 7:
        return None
    number = int(text)
    return number if 0 < number <= MAX_SLOTS else None


def _port(text: str | None) -> int | None:
    number = _positive(text)
    return number if number is not None and number < 65536 else None
