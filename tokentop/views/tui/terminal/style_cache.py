"""What closed screens leave behind in Textual's caches."""

from textual._styles_cache import StylesCache

_INNER_OUTER = vars(StylesCache)["get_inner_outer"]


def release_closed_screens() -> None:
    """Make a class method of `StylesCache.get_inner_outer`, an `lru_cache` that it is written for.

    On an instance the cache's 1,024 keys hold as many drawing caches, each with every line of a
    widget that may be long gone: of each help and each command palette that was ever open.
    """
    StylesCache.get_inner_outer = classmethod(_INNER_OUTER)  # type: ignore[method-assign,assignment]
