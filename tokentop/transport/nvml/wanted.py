"""What will be shown, and so what the driver is asked for."""

from tokentop.named_tuple import NamedTuple


class Wanted(NamedTuple):
    """With nothing set that is UUID, VRAM and utilisation: four calls a GPU, what one line shows.

    `details` is all there is: names, temperatures, limits, process lists, MIG instances. `power`
    is what costs are computed from; `pids` are the compute processes, which lead to engines.
    `events` listens for Xid errors, which takes a program that stays; `page` is what only the GPU
    page shows (GpuDetail, ProcessDetail): some twelve calls a GPU more while it is open.
    """

    details: bool = False
    power: bool = False
    pids: bool = False
    events: bool = False
    page: bool = False


EVERYTHING = Wanted(details=True, power=True, pids=True)
WATCHED = EVERYTHING._replace(events=True)
GPU_PAGE = WATCHED._replace(page=True)
