"""An engine's kind, address, model and slots, from its command line and environment.

Read from other people's processes, so everything is bounded and made safe.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from tokentop.domain.engines.readings import EngineKind
from tokentop.domain.text import clean, clean_name
from tokentop.named_tuple import NamedTuple
from tokentop.sources.engines.registry import spec, specs
from tokentop.sources.engines.spec import CommandLine

MAX_WORDS = 4096
MAX_SLOTS = 1_000_000
MAX_BYTES = 2**45
_SIZES = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "k": 10**3, "m": 10**6, "g": 10**9,
          "t": 10**12}  # fmt: skip

# What stands before the engine's own program; with a version behind its name.
_INTERPRETERS = frozenset(
    ("python", "pypy", "uv", "run", "bash", "sh", "env", "tini", "dumb-init", "nice", "sudo")
)


class Command(NamedTuple):
    """What one command line sets; unknown is None."""

    kind: EngineKind
    slots: int | None = None
    model: str | None = None
    host: str | None = None
    port: int | None = None  # the kind's usual one where none is named
    runner: bool = False  # started by an engine for one model
    metrics_port: int | None = None  # where metrics have a port of their own
    one_pool: bool | None = None  # whether its slots share one KV cache
    kv_gpu_bytes: int | None = None  # of KV cache on each GPU


def read(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> Command | None:
    """The engine that this command line starts, or None where it starts none."""
    words = [word for word in argv[:MAX_WORDS] if word]
    environ = environ or {}
    kind = kind_of(words)
    facts = spec(kind).command if kind is not None else None
    if kind is None or facts is None:
        return None
    options = _options(words)
    host, port = _address(facts, options, environ)
    runner = bool(facts.runner) and facts.runner in words[1:3]
    worker = "::" in words[0]  # vLLM and SGLang name their workers so; they listen nowhere
    port = port or (None if runner or worker else spec(kind).port)
    slots, model = _slots(facts, options, environ), _model(facts, words, options)
    metrics_port = _port(_first(options, facts.metrics_flags)) or spec(kind).metrics_port
    one_pool = _one_pool(facts, options, slots)
    kv_bytes = _size(_first(options, facts.kv_flags))
    return Command(kind, slots, model, host, port, runner, metrics_port, one_pool, kv_bytes)


def kind_of(words: Sequence[str]) -> EngineKind | None:
    """The engine named by the program, or by the script or module that an interpreter runs."""
    for place, word in enumerate(words[:12]):
        name = word.rsplit("/", 1)[-1].lower().removesuffix(".exe")
        if (kind := _program(name)) is not None:
            return kind if _serves(kind, name, words[place + 1 : place + 2]) else None
        passed_by = word[:1] == "-" or "=" in word or name.rstrip("0123456789.") in _INTERPRETERS
        if not passed_by and not (place and words[place - 1] in ("-X", "-W", "-n")):
            return None
    return None


@cache
def variables() -> tuple[str, ...]:
    """The environment variables that are read of any engine's process."""
    commands = (one.command for one in specs() if one.command is not None)
    return tuple(dict.fromkeys(name for command in commands for name in command.variables))


def names_port(command: Command, argv: Sequence[str]) -> bool:
    """Whether the port was chosen, so that no other one is meant; else it is the usual one."""
    facts = spec(command.kind)
    options = {word.partition("=")[0] for word in argv}
    flags = facts.command.port_flags if facts.command else ()
    return command.port != facts.port or not options.isdisjoint(flags)


def _program(name: str) -> EngineKind | None:
    names, prefixes = _programs()
    kind = names.get(name)
    if kind is None and name.startswith(tuple(prefixes)):
        kind = next(kind for prefix, kind in prefixes.items() if name.startswith(prefix))
    return kind


@cache
def _programs() -> tuple[Mapping[str, EngineKind], Mapping[str, EngineKind]]:
    """The kind by the name of its programs, and by how their names begin."""
    commands = [(one.kind, one.command) for one in specs() if one.command is not None]
    names = {name: kind for kind, command in commands for name in command.programs}
    return names, {prefix: kind for kind, command in commands for prefix in command.prefixes}


def _serves(kind: EngineKind, name: str, following: Sequence[str]) -> bool:
    """False for the clients that come in the same program, such as `ollama run`."""
    facts = spec(kind).command
    if facts is None or not facts.subcommands or name != kind:
        return True
    return bool(following) and following[0] in facts.subcommands


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


def _slots(
    facts: CommandLine, options: Mapping[str, str], environ: Mapping[str, str]
) -> int | None:
    named = (_positive(_first(options, flags)) for flags in facts.slot_flags)
    slots = next((number for number in named if number), None)
    if slots is None:
        return _positive(environ.get(facts.slots_variable))
    return slots * (_positive(_first(options, facts.replica_flags)) or 1)


def _one_pool(facts: CommandLine, options: Mapping[str, str], slots: int | None) -> bool | None:
    """Whether the slots share one KV cache; by default where no number of them is named."""
    if not facts.pool_flags:
        return None
    if not options.keys().isdisjoint(facts.no_pool_flags):
        return False
    return slots is None or not options.keys().isdisjoint(facts.pool_flags)


def _model(facts: CommandLine, words: Sequence[str], options: Mapping[str, str]) -> str | None:
    named = (_first(options, flags) for flags in facts.model_flags)
    name: str | None = next((each for each in named if each), None)
    if name is None and facts.model_follows and facts.model_follows in words[:6]:
        following = words[words.index(facts.model_follows) + 1 :][:1]
        name = next((word for word in following if not word.startswith("-")), None)
    if name is None:
        return None
    return clean_name(name.rsplit("/", 1)[-1] if name.startswith(("/", ".")) else name) or None


def _address(
    facts: CommandLine, options: Mapping[str, str], environ: Mapping[str, str]
) -> tuple[str | None, int | None]:
    host, port = _host_and_port(environ.get(facts.address_variable, ""))
    host = _first(options, facts.host_flags) or host
    port = _first(options, facts.port_flags) or environ.get(facts.port_variable) or port
    return (clean(host) or None if host else None), _port(port)


def _host_and_port(address: str) -> tuple[str | None, str | None]:
    """The parts of [scheme://]host[:port]."""
    plain = address.rpartition("://")[2].rstrip("/")
    host, _, port = plain.rpartition(":")
    return (host, port) if _port(port) else (plain or None, None)


def _positive(text: str | None) -> int | None:
    """A whole number from 1; 0 and -1 mean `automatic` to every engine."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 7:
        return None
    number = int(text)
    return number if 0 < number <= MAX_SLOTS else None


def _size(text: str | None) -> int | None:
    """Bytes of `20G` (binary), `20g` (decimal) or a plain number, as vLLM reads them."""
    scale = _SIZES.get((text or "")[-1:], 1)
    digits = (text or "").removesuffix((text or "")[-1:]) if scale != 1 else text or ""
    whole, _, fraction = digits.partition(".")
    if not (whole + fraction).isascii() or not (whole + fraction).isdigit() or len(digits) > 18:
        return None
    size = round(float(digits) * scale) if whole else 0
    return size if 0 < size < MAX_BYTES else None


def _port(text: str | None) -> int | None:
    number = _positive(text)
    return number if number is not None and number < 65536 else None
