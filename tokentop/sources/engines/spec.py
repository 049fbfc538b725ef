"""The facts of one engine as plain data: each engine's file ends with its SPEC.

Command lines, identification, the search for engines and the Prometheus queries read them, so an
engine is added by one file here and its name in `EngineKind`.
"""

from collections.abc import Callable

from tokentop.domain.engines.readings import EngineKind, EngineReading
from tokentop.named_tuple import NamedTuple
from tokentop.sources.engines.protocol import Adapter, Answers, Hints, Paths
from tokentop.sources.engines.series import Series
from tokentop.sources.metrics_page import Page

Flags = tuple[str, ...]


class CommandLine(NamedTuple):
    """How its server is started. Of several groups of flags the first that is given counts.

    `programs` are names of programs, scripts or modules in lower case, without `.exe`. A program
    called exactly as the kind serves only with one of `subcommands`.
    """

    programs: tuple[str, ...]
    prefixes: tuple[str, ...] = ()  # how such names begin
    subcommands: tuple[str, ...] = ()
    runner: str = ""  # the subcommand that serves one model for another process of the engine
    port_flags: Flags = ("--port",)
    host_flags: Flags = ("--host", "--hostname")
    slot_flags: tuple[Flags, ...] = ()
    metrics_flags: Flags = ()  # where metrics have a port of their own
    pool_flags: Flags = ()  # let the slots share one KV cache, which they do by default where
    no_pool_flags: Flags = ()  # no number of slots is named; and keep them apart
    kv_flags: Flags = ()  # so many bytes of KV cache on each GPU
    replica_flags: Flags = ()  # so many replicas have those slots each
    model_flags: tuple[Flags, ...] = ()
    model_follows: str = ""  # the subcommand behind which the model may stand
    # Environment variables; none of them may hold a secret.
    slots_variable: str = ""
    port_variable: str = ""
    address_variable: str = ""  # [scheme://]host[:port]

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that are read."""
        named = (self.slots_variable, self.port_variable, self.address_variable)
        return tuple(name for name in named if name)


class Signature(NamedTuple):
    """What sets its answers apart. Every server gets these requests, so no path may do harm.

    `recognise` is given all answers so far, after each step; a path without a request is missing.
    """

    first: Paths = ()  # requested from every server
    then: Paths = ()  # requested where the first answers suggest an engine
    only_after: str = ""  # and where this path was answered
    locked: Paths = ()  # requested where all others require a key
    recognise: Callable[[Answers], bool] | None = None
    series: str = ""  # how its series on /metrics begin, where reading them to find out is harmless
    # Owners in /v1/models of servers whose /metrics must not be read to find out.
    metrics_spared: tuple[str, ...] = ()


class EngineSpec(NamedTuple):
    """One engine; `runner_kind` is what the processes answer as that it starts for its models.

    `read_gauges` adds to a reading what the gauges of a page, scraped or polled, hold.
    """

    kind: EngineKind
    adapter: Callable[[Hints], Adapter]
    port: int | None = None  # the usual one
    metrics_port: int | None = None  # the same of metrics, where they have one of their own
    command: CommandLine | None = None
    signature: Signature = Signature()
    series: Series | None = None
    read_gauges: Callable[[EngineReading, Page], EngineReading] | None = None
    router: bool = False  # its traffic is the engines' behind it
    hosts: tuple[EngineKind, ...] = ()  # engines whose series stand on its pages as well
    runner_kind: EngineKind | None = None
