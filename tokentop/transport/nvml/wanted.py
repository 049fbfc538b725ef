"""What will be shown, and so what the driver is asked for."""

from typing import NamedTuple


class Wanted(NamedTuple):
    """With nothing set that is UUID, VRAM and utilisation: four calls a GPU, what one line shows.

    `details` is all there is: names, temperatures, limits, process lists, MIG instances. `power`
    is what costs are computed from; `pids` are the compute processes, which lead to engines.
    """

    details: bool = False
    power: bool = False
    pids: bool = False


EVERYTHING = Wanted(details=True, power=True, pids=True)
