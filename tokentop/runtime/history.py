"""Between whoever polls and the history store: samples go in, the past comes back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import time

from tokentop.config.schema import Config
from tokentop.domain.history import sample_of
from tokentop.domain.past import Past, PastError, Stretch
from tokentop.domain.snapshot import Snapshot
from tokentop.light_typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentop.transport.history.writer import HistoryWriter

STOP_S = 0.5  # what leaving may wait for the last samples


def writer(config: Config, host: str, report: Callable[[str], object]) -> "HistoryWriter | None":
    """The writer of this host's store, started; None where nothing is to be kept.

    `report` gets a sentence where something goes wrong, on the writer's thread.
    """
    if not is_kept(config):
        return None
    from tokentop.transport.history.place import store_path
    from tokentop.transport.history.writer import HistoryWriter

    place = partial(store_path, host, config.prometheus.url)
    started = HistoryWriter(place, round(config.history.max_mb * 2**20), report)
    started.start()
    return started


@contextmanager
def keeping(
    config: Config, host: str, report: Callable[[str], object]
) -> Iterator[Callable[[Snapshot], object]]:
    """What keeps a snapshot that was made just now; what is pending is written at the end."""
    writing = writer(config, host, report)
    if writing is None:
        yield lambda _snapshot: None
        return
    try:
        yield lambda snapshot: writing.add(sample_of(snapshot, time()))
    finally:
        writing.stop(STOP_S)


def is_kept(config: Config) -> bool:
    """Whether the past is kept: simulated figures never are."""
    return config.history.enabled and config.ui.state and not config.demo.enabled


def past(config: Config, host: str, stretch: Stretch, now: float) -> Past:
    """What is known of a stretch, times in Unix seconds; blocks.

    It is this host's store, and what a Prometheus server that is configured knows of the rest.
    Raises PastError where nothing can be read.
    """
    if config.prometheus.url is None or config.demo.enabled:
        return stored(config, host, stretch, now)
    from tokentop.runtime import prometheus_past
    from tokentop.sources.prometheus.past import step_s

    own = stored(config, host, stretch, now)
    try:
        theirs = prometheus_past.read(config, stretch)
    except PastError:
        if own.mean:
            return own
        raise
    return theirs.overlaid(own, step_s(stretch))


def stored(config: Config, host: str, stretch: Stretch, now: float) -> Past:
    """What this host's store holds of a stretch; raises PastError where it cannot be read."""
    if not is_kept(config):
        return Past()
    from tokentop.transport.history.place import store_path
    from tokentop.transport.history.reader import read

    path = store_path(host, config.prometheus.url)
    return Past() if path is None else read(path, stretch, now)
