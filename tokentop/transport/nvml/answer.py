"""What the driver's thread gives."""

from tokentop.domain.readings import Failure, GpusReading
from tokentop.named_tuple import NamedTuple


class Answer(NamedTuple):
    """A reading and the seconds that one takes; not `complete` while GPUs are being read for it."""

    result: GpusReading | Failure
    latency_s: float | None = None
    complete: bool = True
