"""A mapping that forgets what was used longest ago, so that hostile names cannot fill memory."""

from collections import OrderedDict
from collections.abc import Callable

from tokentop.light_typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V], Generic[K, V]):
    """At most `most` keys, the one used longest ago first; `use` counts as use, a look does not.

    A plain dict would do, but to find its first key again and again it walks over all that went.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def use(self, key: K, make: Callable[[], V]) -> V:
        """The key's value, made where it has none."""
        if key not in self:
            self.put(key, make())
        self.move_to_end(key)
        return self[key]

    def put(self, key: K, value: V) -> None:
        """Set the key's value."""
        self[key] = value
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)
