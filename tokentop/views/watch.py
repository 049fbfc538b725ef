"""`--watch`: one refresh after another until a signal or a closed pipe ends it."""

import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from types import FrameType

from tokentop.config.load import ConfigError
from tokentop.config.reload import Reloader
from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.text import cell_width
from tokentop.light_typing import TYPE_CHECKING
from tokentop.views.terminal import is_tty

if TYPE_CHECKING:
    from tokentop.runtime.oneshot.refresh import Refresher
    from tokentop.runtime.oneshot.remote import RemoteRefresher

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class Terminated(Exception):  # a signal is no error
    """The process received a signal that ends it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def watch(
    refresher: "Refresher | RemoteRefresher",
    show: Callable[[Snapshot], str],
    config: Config,
    *,
    in_place: bool,
    again: Reloader | None = None,
) -> int:
    """Print at every interval; return 128 + signal number at the end.

    Raises BrokenPipeError once the pipe is closed, also between two lines.
    """
    out = Rewriter() if in_place and is_tty(sys.stdout) else Lines()
    with _signals():
        try:
            while True:
                due = monotonic() + config.interval_s
                if again is not None:
                    _adopt(refresher, again.poll())
                out.write(show(refresher.refresh(monotonic() + config.deadline_s)))
                _wait(due - monotonic())
        except KeyboardInterrupt:
            return 128 + signal.SIGINT
        except Terminated as stopped:
            return 128 + stopped.number
        finally:
            out.close()


def _adopt(refresher: "Refresher | RemoteRefresher", changed: Config | ConfigError | None) -> None:
    """Use the prices and thresholds of a changed file from now on; report a broken one."""
    if isinstance(changed, ConfigError):
        if sys.stderr is not None:
            sys.stderr.write("".join(f"tokentop: {line}\n" for line in str(changed).splitlines()))
    elif changed is not None:
        refresher.apply_policy(changed)


class Lines:
    """One line per refresh, flushed: each is printed before the next refresh begins."""

    def write(self, text: str) -> None:
        if sys.stdout is not None:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def close(self) -> None:
        """Nothing is pending."""


class Rewriter(Lines):
    """The same line again and again; blanks overwrite what was longer, without escape codes."""

    def __init__(self) -> None:
        self._width = 0

    def write(self, text: str) -> None:
        width = cell_width(_visible(text))
        sys.stdout.write("\r" + text + " " * (self._width - width))
        sys.stdout.flush()
        self._width = width

    def close(self) -> None:
        if self._width:
            with suppress(OSError):  # the terminal may be gone
                super().write("")


def _visible(text: str) -> str:
    import re

    return re.sub("\x1b\\[[0-9;]*m", "", text)


def _wait(seconds: float) -> None:
    """Sleep, but raise BrokenPipeError as soon as the pipe is closed."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)  # errors and hang-ups only
    except (AttributeError, ValueError, OSError):  # no real file, or a platform without poll
        sleep(max(0.0, seconds))
        return
    if poll.poll(max(0.0, seconds) * 1000):
        raise BrokenPipeError


@contextmanager
def _signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into Terminated, so that a half-written line is ended properly."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Terminated(number)

    before = [(number, signal.signal(number, stop)) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
