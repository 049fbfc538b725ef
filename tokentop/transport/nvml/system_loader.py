"""Python's extension modules while the system's loader is at the driver's library.

The loader has one lock. An import that needs it waits with Python's own lock held: the program
would stand still until the driver's library is there, for ever where its loading hangs.
"""

from _frozen_importlib_external import ExtensionFileLoader  # importlib.machinery's, loaded already
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from time import monotonic
from types import ModuleType

from tokentop.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

PATIENCE_S = 0.5  # a library from a cold disk is there by then


@contextmanager
def taken(what: str) -> Iterator[None]:
    """Meanwhile an import of an extension module lets the other threads run.

    It raises ImportError once `what` has been loading for PATIENCE_S: the import may be on the
    thread that draws. Modules that are loaded already are not concerned.
    """
    loaded, until = Event(), monotonic() + PATIENCE_S
    create = ExtensionFileLoader.create_module

    def wait_and_create(self: ExtensionFileLoader, spec: "ModuleSpec") -> ModuleType:
        if not loaded.wait(max(0.0, until - monotonic())):
            raise ImportError(f"nothing can be loaded beside {what}, whose loading hangs")
        return create(self, spec)

    ExtensionFileLoader.create_module = wait_and_create  # type: ignore[method-assign]
    try:
        yield
    finally:
        ExtensionFileLoader.create_module = create  # type: ignore[method-assign]
        loaded.set()
