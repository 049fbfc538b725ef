"""The valuation file: prices of models and GPUs in credits, the shipped one or the user's."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

from tokentop.config.files import read_small
from tokentop.config.problems import Problem
from tokentop.domain.economy.valuation import GpuRate, ModelRate, Tables

MAX_BYTES = 1024 * 1024
LARGEST = 1e9  # of any figure in the file

_KEYS = frozenset(
    ("name", "cached", "bandwidth", "complexity", "reference_usd_per_hour", "model", "gpu",
     "parameters")
)  # fmt: skip


def load(path: str | None) -> Tables | Problem:
    """The tables of the file at `path`, of the shipped one where that is None."""
    if path is None:
        shipped = files("tokentop").joinpath("share", "valuation.toml").read_bytes()
        return parse(shipped)
    try:
        return parse(read_small(path, MAX_BYTES))
    except OSError as error:
        return Problem(path, None, "", f"cannot be read ({error.strerror}); correct the path")
    except _Wrong as wrong:
        return Problem(
            path, None, wrong.key, f"{wrong}; `tokentop example valuation.toml` is right"
        )


class _Wrong(ValueError):
    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


def parse(data: bytes) -> Tables:
    """The tables in the bytes of a file; raises ValueError with what is wrong."""
    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise _Wrong("", "not valid TOML") from None
    unknown = sorted(set(document) - _KEYS)
    if unknown:
        raise _Wrong(ascii(unknown[0])[1:-1], "unknown key")
    parameters = _table(document, "parameters")
    return Tables(
        name=_text(document, "name", ""),
        models=tuple(_model(row) for row in _rows(document, "model")),
        gpus=tuple(_gpu(row) for row in _rows(document, "gpu")),
        cached=_scaled(document, "cached", 1000, 0.1),
        bandwidth=_scaled(document, "bandwidth", 1000, 0.0),
        complexity=_scaled(document, "complexity", 1000, 0.1),
        parameters=tuple((name, _scaled(parameters, name, 1000)) for name in parameters),
        reference_micro_usd=_scaled(document, "reference_usd_per_hour", 1_000_000, 0.0) or None,
    )


def _model(row: Mapping[str, object]) -> ModelRate:
    name = _text(row, "name")
    return ModelRate(name, _match(row), _scaled(row, "input", 1000), _scaled(row, "output", 1000))


def _gpu(row: Mapping[str, object]) -> GpuRate:
    return GpuRate(_text(row, "name"), _match(row), _scaled(row, "multiplier", 1000))


def _rows(document: Mapping[str, object], key: str) -> list[dict[str, object]]:
    found = document.get(key, [])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise _Wrong(key, f"needs two brackets, once for each; write [[{key}]]")
    return found


def _table(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = document.get(key, {})
    if not isinstance(found, dict):
        raise _Wrong(key, f"needs a table; write [{key}]")
    return found


def _match(row: Mapping[str, object]) -> tuple[str, ...]:
    found = row.get("match")
    if not isinstance(found, list) or not all(isinstance(each, str) and each for each in found):
        raise _Wrong("match", "needs a list of names")
    return tuple(found)


def _text(row: Mapping[str, object], key: str, default: str | None = None) -> str:
    found = row.get(key, default)
    if not isinstance(found, str) or not found.isprintable() or len(found) > 64:
        raise _Wrong(key, "needs up to 64 printable characters")
    return found


def _scaled(row: Mapping[str, object], key: str, factor: int, default: float | None = None) -> int:
    """The number at `key` times `factor`, to the nearest whole number."""
    found = row.get(key, default)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= LARGEST:
        raise _Wrong(ascii(key)[1:-1], "needs a number from 0 to a billion")
    return round(found * factor)
