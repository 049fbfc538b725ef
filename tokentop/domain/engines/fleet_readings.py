"""A fleet's figures at one moment, from a Prometheus-compatible server, in our units."""

from tokentop.domain.engines.rates import Rates
from tokentop.domain.engines.readings import EngineKind, EngineReading, Histograms
from tokentop.domain.readings import DeviceReading
from tokentop.domain.snapshot_engines import Latencies
from tokentop.named_tuple import NamedTuple


class FleetEngine(NamedTuple):
    """One scraped engine.

    `age_s` is how old its figures were when the server answered (the time since the scrape);
    `up` is false where the server cannot scrape it any more; `mixed` are other kinds of engines
    whose series stand on the same target. Neither has figures then.
    """

    id: str
    kind: EngineKind
    instance: str
    group: str | None = None
    model: str | None = None
    reading: EngineReading = EngineReading("openai")
    rates: Rates = Rates()
    latencies: Latencies = Latencies()
    age_s: float | None = None
    up: bool = True
    mixed: tuple[EngineKind, ...] = ()
    place: str = ""  # host:port, as it is scraped


class FleetReading(NamedTuple):
    """All scraped engines and GPUs.

    `latencies` hold the observations of a minute, merged over replicas: one histogram for each
    model and group. `notes` say what is missing and why.
    """

    engines: tuple[FleetEngine, ...] = ()
    devices: tuple[DeviceReading, ...] = ()
    latencies: Histograms = Histograms()
    notes: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()
