"""typing's names without typing, which is a twenty-fifth of what a one-line view costs.

To a type checker they are typing's own. At run time an annotation only has to be something: the
one that is read again is Literal, for its values (`get_args`), and by whoever decodes a snapshot.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING or sys.version_info >= (3, 14):  # there named_tuple.py needs typing all the same
    from typing import Any as Any
    from typing import ClassVar as ClassVar
    from typing import Final as Final
    from typing import Generic as Generic
    from typing import Literal as Literal
    from typing import NoReturn as NoReturn
    from typing import Protocol as Protocol
    from typing import Self as Self
    from typing import TextIO as TextIO
    from typing import TypeAlias as TypeAlias
    from typing import TypeGuard as TypeGuard
    from typing import TypeVar as TypeVar
    from typing import cast as cast
    from typing import get_args as get_args
else:
    from types import GenericAlias

    Any = NoReturn = Self = TextIO = TypeAlias = object

    class Generic:
        """A base, or what is subscripted, of which nothing is asked."""

        def __class_getitem__(cls, _: object) -> object:
            return cls

    ClassVar = Final = Protocol = TypeGuard = Generic

    class Literal:
        """`Literal["a", "b"]` keeps its values as one argument: two texts would be two types."""

        def __class_getitem__(cls, given: object) -> GenericAlias:
            each = given if isinstance(given, tuple) else (given,)
            return GenericAlias(cls, (tuple(value for one in each for value in _values(one)),))

    def _values(one: object) -> tuple:
        if isinstance(one, tuple):  # typing.get_type_hints makes an alias anew of its arguments
            return one
        return get_args(one) or (one,)

    def get_args(kind: object) -> tuple:
        """The values of a Literal, the arguments of any other type."""
        found = getattr(kind, "__args__", ())
        return found[0] if getattr(kind, "__origin__", None) is Literal else found

    class TypeVar:
        """What stands for a type in an alias until that is subscripted."""

        def __init__(self, name: str, *_: object, **__: object) -> None:
            self.__name__ = name

        def __typing_subst__(self, kind: object) -> object:
            return kind

        def __or__(self, _: object) -> type:
            return object

        __ror__ = __or__

    def cast(kind: object, value: object) -> object:  # noqa: ARG001
        return value
