"""`NamedTuple`, defined in a sixth of the time that typing's takes.

typing compiles a constructor for every class; here one is compiled for each number of fields, and
takes the names of the class's. The one-line view defines 170 classes at every refresh of a status
bar. A class has no annotations checked, and inherits only from NamedTuple.
"""

import sys
from collections.abc import Callable, Iterable

from tokentop.light_typing import TYPE_CHECKING, Any

if TYPE_CHECKING or sys.version_info >= (3, 14):  # 3.14 keeps annotations out of the namespace
    from typing import NamedTuple as NamedTuple
else:
    from collections import _tuplegetter
    from types import FunctionType

    _NO_SUCH_FIELD = TypeError if sys.version_info >= (3, 13) else ValueError  # as theirs does
    _getters: list[Any] = []
    _constructors: dict[int, Callable[..., Any]] = {}

    class _Fields(tuple):
        """The methods that collections.namedtuple gives every class."""

        __slots__ = ()

        @classmethod
        def _make(cls, values: Iterable[Any]) -> Any:
            made = tuple.__new__(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"expected {len(cls._fields)} values, not {len(made)}")
            return made

        def _replace(self, /, **changes: Any) -> Any:
            made = tuple.__new__(type(self), map(changes.pop, self._fields, self))
            if changes:
                raise _NO_SUCH_FIELD(f"no such fields: {list(changes)}")
            return made

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

        def __repr__(self) -> str:
            values = map("{}={!r}".format, self._fields, self)
            return f"{type(self).__name__}({', '.join(values)})"

    class _Definition(type):
        """Makes fields of a class's annotations; a class derived from such a one is a plain one."""

        def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
            if bases == (NamedTuple,):
                _define(name, namespace)
                return type(name, (_Fields,), namespace)  # a shorter way to every method
            return type.__new__(mcs, name, bases, namespace)

    def _define(name: str, namespace: dict[str, Any]) -> None:
        fields = tuple(namespace.get("__annotations__", ()))
        defaults = {field: namespace[field] for field in fields if field in namespace}
        if tuple(defaults) != fields[len(fields) - len(defaults) :]:
            raise TypeError(f"{name}: a field without a default follows one that has it")
        while len(_getters) < len(fields):
            _getters.append(_tuplegetter(len(_getters), f"Alias for field number {len(_getters)}"))
        namespace.update(zip(fields, _getters, strict=False))
        namespace["__slots__"] = ()
        namespace["_fields"] = namespace["__match_args__"] = fields
        namespace["_field_defaults"] = defaults
        namespace["__new__"] = _constructor(name, fields, tuple(defaults.values()))

    def _constructor(name: str, fields: tuple[str, ...], defaults: tuple[Any, ...]) -> FunctionType:
        """`__new__` with these arguments, as fast to call as one that was written out."""
        count = len(fields)
        if count not in _constructors:
            words = "".join(f"_{number}, " for number in range(count))
            scope = {"new": tuple.__new__, "__builtins__": {}}
            _constructors[count] = eval(f"lambda cls, {words}: new(cls, ({words}))", scope)
        made = _constructors[count]
        code = made.__code__.replace(
            co_name="__new__", co_qualname=f"{name}.__new__", co_varnames=("_cls", *fields)
        )
        return FunctionType(code, made.__globals__, "__new__", defaults)

    NamedTuple = type.__new__(_Definition, "NamedTuple", (_Fields,), {"__slots__": ()})
