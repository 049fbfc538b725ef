"""Our names beside typing's: what an annotation of ours is asked for at run time is the same."""

import typing
from collections.abc import Callable, Generator
from types import ModuleType
from typing import Any

import pytest

from tokentop import light_typing


def colours(names: ModuleType) -> Any:
    return names.Literal["red", "green"]


def hints(names: ModuleType) -> object:
    """Of a class with a Literal in it, as the decoder of a snapshot reads them."""
    colour = colours(names)

    class Row:
        one: colour
        maybe: colour | None
        many: tuple[colour, ...]

    found = typing.get_type_hints(Row)
    maybe, none = typing.get_args(found["maybe"])
    many, dots = typing.get_args(found["many"])
    kinds = [found["one"], maybe, many]
    assert all(typing.get_origin(kind) is names.Literal for kind in kinds)
    return [names.get_args(kind) for kind in kinds], none, dots


def alias(names: ModuleType) -> object:
    """An alias with a variable in it is subscripted, and stands in unions."""
    variable = names.TypeVar("variable", bound=int)
    steps = Generator[str, object, variable]
    return typing.get_args(steps[bytes]), variable | None is None, None | variable is None


def classes(names: ModuleType) -> object:
    """A base with a variable, and a protocol, may be derived from and instantiated."""
    variable = names.TypeVar("variable")

    class Shape(names.Protocol):
        def area(self) -> float: ...

    class Box(names.Generic[variable]):
        held = 3

    class Square(Shape, Box[int]):
        def area(self) -> float:
            return 4.0

    return Square().area(), Square().held, isinstance(Square(), Box)


USES: dict[str, Callable[[ModuleType], object]] = {
    "values": lambda names: names.get_args(colours(names)),
    "one value": lambda names: names.get_args(names.Literal["red"]),
    "of others": lambda names: names.get_args(names.Literal[colours(names), "blue"]),
    "equal": lambda names: colours(names) == names.Literal["red", "green"],
    "of a union": lambda names: names.get_args(int | None),
    "of no alias": lambda names: names.get_args(int),
    "hints": hints,
    "alias": alias,
    "classes": classes,
    "cast": lambda names: names.cast("int", "3"),
    "annotations": lambda names: [
        bool(part) for part in (names.Final[int], names.ClassVar[list[int]], names.TypeGuard[str])
    ],
    "alternatives": lambda names: [bool(part | None) for part in (names.Any, names.Self)],
    "checking": lambda names: names.TYPE_CHECKING,
}


@pytest.mark.parametrize("use", USES)
def test_it_behaves_as_typings_does(use: str) -> None:
    assert USES[use](light_typing) == USES[use](typing)
