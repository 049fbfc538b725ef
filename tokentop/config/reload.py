"""The file read again when it changed, so that a flipped switch holds from the next poll on."""

import os
from collections.abc import Callable, Mapping
from time import time_ns

from tokentop.config.load import ConfigError, load
from tokentop.config.schema import Config
from tokentop.config.toml_file import FILE_VARIABLE, home, usual_places

SETTLED_NS = 1_000_000_000

FileStamp = tuple[int, int, int]  # when it was changed (Unix nanoseconds), bytes, inode
Stamp = tuple[FileStamp | None, ...]


class Reloader:
    """Looks at the places where the file may be; a file that comes or goes is a change too."""

    def __init__(self, again: Callable[[], Config], places: tuple[str, ...]) -> None:
        self._again = again
        self._places = places
        self._seen = _stamp(places)

    def poll(self) -> Config | ConfigError | None:
        """The new configuration, or what is wrong with it, where the file changed; else None.

        A broken file is reported once; the previous configuration stays in force.
        """
        stamp = _stamp(self._places)
        if stamp == self._seen or any(_being_written(one) for one in stamp):
            return None
        self._seen = stamp
        try:
            return self._again()
        except ConfigError as error:
            return error


def reloader(
    overrides: Mapping[str, object], environ: Mapping[str, str], path: str | None
) -> Reloader:
    """A Reloader of what `load` would read with the same arguments."""
    named = path if path is not None else environ.get(FILE_VARIABLE) or None
    places = usual_places(environ) if named is None else (home(named, environ),)
    return Reloader(lambda: load(overrides, environ, path), places)


def _being_written(found: FileStamp | None) -> bool:
    """Whether it was emptied just now: by who writes its new content next."""
    return found is not None and found[1] == 0 and 0 <= time_ns() - found[0] < SETTLED_NS


def _stamp(places: tuple[str, ...]) -> Stamp:
    """Changes with the files' contents; an editor may replace the file by a new one."""
    stamps: list[FileStamp | None] = []
    for place in places:
        try:
            found = os.stat(place)
        except (OSError, ValueError):
            stamps.append(None)
        else:
            stamps.append((found.st_mtime_ns, found.st_size, found.st_ino))
    return tuple(stamps)
