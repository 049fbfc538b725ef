"""A mapping that forgets what was used longest ago, so that hostile names cannot fill memory."""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(dict[K, V], Generic[K, V]):
    """At most `most` keys, the one used longest ago first; `use` counts as use, a look does not."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def use(self, key: K, make: Callable[[], V]) -> V:
        """The key's value, made where it has none."""
        value = self[key] if key in self else make()
        self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Set the key's value."""
        self.pop(key, None)
        self[key] = value
        if len(self) > self._most:
            del self[next(iter(self))]
