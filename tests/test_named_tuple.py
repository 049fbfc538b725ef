"""Our NamedTuple beside typing's: the same definition, the same behaviour."""

import copy
import inspect
import pickle
import sys
import typing
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

from tokentop import named_tuple


class Ours(named_tuple.NamedTuple):
    """A row."""

    name: str
    size: int = 4
    parts: tuple[str, ...] = ()

    @property
    def double(self) -> int:
        return self.size * 2


class Theirs(typing.NamedTuple):
    """A row."""

    name: str
    size: int = 4
    parts: tuple[str, ...] = ()

    @property
    def double(self) -> int:
        return self.size * 2


class Derived(Ours):
    extra = 1


NO_SUCH_FIELD = TypeError if sys.version_info >= (3, 13) else ValueError
USES: dict[str, Callable[[Any], object]] = {
    "defaults": lambda row: tuple(row("a")),
    "by name": lambda row: tuple(row(parts=("p",), name="a")),
    "fields": lambda row: (row._fields, row._field_defaults, row.__match_args__),
    "signature": lambda row: [
        (p.name, p.default) for p in inspect.signature(row).parameters.values()
    ],
    "hints": get_type_hints,
    "words": lambda row: (row.__doc__, row.__module__),
    "attributes": lambda row: (row("a", 3).name, row("a", 3).size, row("a", 3).double),
    "printed": lambda row: repr(row("a'", 3)).partition("(")[2],
    "compared": lambda row: (row("a") == row("a"), row("a") == ("a", 4, ()), row("a") < row("b")),
    "hashed": lambda row: hash(row("a", 3)),
    "changed": lambda row: tuple(row("a")._replace(size=9, name="b")),
    "as a mapping": lambda row: list(row("a")._asdict().items()),
    "from values": lambda row: tuple(row._make(["a", 1, ("b",)])),
    "copied": lambda row: (copy.copy(row("a")) == row("a"), copy.deepcopy(row("a", 2)).size),
    "pickled": lambda row: pickle.loads(pickle.dumps(row("a", 2))).size,
    "without a dictionary": lambda row: hasattr(row("a"), "__dict__"),
    "a tuple": lambda row: (isinstance(row("a"), tuple), len(row("a"))),
}


@pytest.mark.parametrize("use", USES)
def test_it_behaves_as_typings_does(use: str) -> None:
    assert USES[use](Ours) == USES[use](Theirs)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda row: row(), TypeError),
        (lambda row: row("a", 1, (), 2), TypeError),
        (lambda row: row("a", other=1), TypeError),
        (lambda row: row("a")._replace(other=1), NO_SUCH_FIELD),
        (lambda row: row._make(["a"]), TypeError),
        (lambda row: setattr(row("a"), "name", "b"), AttributeError),
        (lambda row: setattr(row("a"), "other", "b"), AttributeError),
    ],
)
def test_it_refuses_what_typings_refuses(wrong: Callable[[Any], object], error: type) -> None:
    for row in (Ours, Theirs):
        with pytest.raises(error) as raised:
            wrong(row)
        assert "lambda" not in str(raised.value)


def test_a_pattern_matches_by_position() -> None:
    match Ours("a", 2):
        case Ours(name, size):
            assert (name, size) == ("a", 2)


def test_a_class_derived_from_a_row_adds_no_field() -> None:
    assert Derived("a").extra == 1
    assert Derived._fields == Ours._fields


def test_a_field_without_a_default_stands_first() -> None:
    with pytest.raises(TypeError, match="without a default"):
        type(Ours)(
            "Wrong", (named_tuple.NamedTuple,), {"__annotations__": {"a": int, "b": int}, "a": 1}
        )
