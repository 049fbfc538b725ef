"""Where the text views' answers come from: this machine and its network, or the demo."""

from collections.abc import Callable
from time import monotonic, time

from tokentop.domain.readings import Failure, GpusReading
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple
from tokentop.transport.http.client_blocking import Dial
from tokentop.transport.nvml.answer import Answer

if TYPE_CHECKING:
    from tokentop.demo.gpus import DemoDriver
    from tokentop.transport.discovery.findings import Findings

GpusAnswer = GpusReading | Failure


class Environment(NamedTuple):
    """Where answers come from: the real one has none of the last three; clocks give seconds.

    `find` gives at once what a search for engines would find.
    """

    host: str
    clock: Callable[[], float] = monotonic
    wall: Callable[[], float] = time
    dial: Dial | None = None
    driver: "Callable[[Callable[[Answer], None]], DemoDriver] | None" = None
    find: "Callable[[], Findings] | None" = None
