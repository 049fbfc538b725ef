"""Where the text views' answers come from: this machine and its network, or the demo."""

from collections.abc import Callable
from time import monotonic, time
from typing import NamedTuple

from tokentop.domain.readings import Failure, GpusReading
from tokentop.transport.http.client_blocking import Dial

GpusAnswer = GpusReading | Failure
GpusRead = Callable[[float], GpusAnswer]


class Environment(NamedTuple):
    """Where answers come from: the real one has no `dial` and no `read`; clocks give seconds."""

    host: str
    clock: Callable[[], float] = monotonic
    wall: Callable[[], float] = time
    dial: Dial | None = None
    read: GpusRead | None = None
