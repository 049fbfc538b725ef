"""A parsed TOML file against the table: each setting with its row and line, or a problem."""

from collections.abc import Iterator

from tokentop.config.draft import Origin
from tokentop.config.engine_keys import ARRAY, engine
from tokentop.config.file import Document
from tokentop.config.keys import Key, key_of, table
from tokentop.config.lines import find, join
from tokentop.config.problems import SHOWN, Problem
from tokentop.config.values import nearest

_TOKENS = ("token", "api_key", "apikey", "api_token", "bearer", "password", "secret", "auth")
Setting = tuple[Key, object, Origin]


def settings(document: Document) -> Iterator[Setting | Problem]:
    """Yield every key of the file, in its order, as a setting or as a problem."""
    unknown = 0
    for name, value in _leaves(document.values, ""):
        line = find(document.lines, name)
        key = key_of(name)
        if key is not None and key.in_file:
            yield key, value, Origin("file", document.path, line)
        else:
            unknown += 1
            text = _unknown(name) if unknown <= SHOWN else "unknown key; remove it"
            yield Problem(document.path, line, name, text)


def engines(document: Document) -> Iterator[tuple[str, Origin]]:
    """Yield each [[engine]]: the name its keys are below (engine[1]) and where it stands."""
    for number in range(1, len(_array(document.values.get(ARRAY))) + 1):
        at = f"{ARRAY}[{number}]"
        yield at, Origin("file", document.path, find(document.lines, at))


def _array(value: object) -> list[dict[str, object]]:
    tables = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    return value if isinstance(value, list) and tables else []


def _leaves(values: dict[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    """Yield the settings: what stands at a known key, or stops at an unknown or mistaken one."""
    for part, value in values.items():
        name = join(prefix, part)
        if name == ARRAY and _array(value):
            for number, item in enumerate(_array(value), 1):
                yield from ((f"{name}[{number}].{part}", leaf) for part, leaf in item.items())
        elif isinstance(value, dict) and name in _sections():
            yield from _leaves(value, name)
        else:
            yield name, value


def _sections() -> set[str]:
    found = set()
    for key in table().values():
        section = key.section if key.in_file else ""
        while section:
            found.add(section)
            section = section.rpartition(".")[0]
    return found


def _unknown(name: str) -> str:
    section, _, leaf = name.rpartition(".")
    if name == ARRAY:
        return "needs two brackets, once for each engine; write [[engine]] and its keys below"
    if name in _sections():
        return f"needs a table, not a value; write [{name}] and its keys below"
    if leaf.lower() in _TOKENS:
        mend = "name the variable or the file that holds it with token_env or token_file"
        return f"a secret does not belong in this file; {mend}"
    guess = _guess(section, leaf)
    if guess:
        return f"unknown key; did you mean {guess}?"
    return "unknown key; remove it (`tokentop config --example` lists every key)"


def _guess(section: str, leaf: str) -> str | None:
    """Return the nearest name: beside it first, then a key of that very name elsewhere."""
    if section.startswith(f"{ARRAY}["):
        found = nearest(leaf, tuple(engine()))
        return f"{section}.{found}" if found else None
    names = [key.name for key in table().values() if key.in_file] + sorted(_sections())
    beside = {name.rpartition(".")[2]: name for name in names if name.rpartition(".")[0] == section}
    if found := nearest(leaf, tuple(beside)):
        return beside[found]
    elsewhere = {name.rpartition(".")[2]: name for name in reversed(names)}
    found = nearest(leaf, tuple(elsewhere))
    return elsewhere[found] if found else None
