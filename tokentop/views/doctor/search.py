"""The doctor's check of discovery: where engines were searched, and what was found."""

from queue import Empty, SimpleQueue
from time import monotonic, time

from tokentop.config.schema import Config
from tokentop.domain.readings import GpusReading
from tokentop.named_tuple import NamedTuple
from tokentop.runtime.oneshot.discovery_cache import NAME, NONE_FOUND_TTL_S, plan
from tokentop.runtime.oneshot.environment import GpusAnswer
from tokentop.threads import spawn
from tokentop.transport.discovery.candidates import Candidate, choose, gpu_pids
from tokentop.transport.discovery.findings import Findings, Found
from tokentop.transport.procfs import sockets
from tokentop.transport.user_cache import recall
from tokentop.views.doctor.report import Mark, Row

SHOWN_PORTS = 6


class Survey(NamedTuple):
    """What is seen without a request; the sockets of `hidden` GPU processes are not."""

    gpu_processes: int | None = None
    hidden: int = 0
    candidates: tuple[Candidate, ...] = ()
    total: int | None = None  # with those that there was no place for


def survey(config: Config, gpus: GpusAnswer | None, until: float) -> Survey | None:
    """This host's processes and sockets, read until monotonic `until`; None where that hangs."""
    inbox: SimpleQueue[Survey] = SimpleQueue()

    def work() -> None:
        inbox.put(_surveyed(config, gpus))

    spawn(work)
    try:
        return inbox.get(timeout=max(0.0, until - monotonic()))
    except Empty:
        return None


def rows(config: Config, findings: Findings | None, surveyed: Survey | None) -> tuple[Row, ...]:
    """Return where engines were searched, and what was found."""
    if config.demo.enabled:
        return (Row("off", "search", "not in the demo"),)
    if not config.discovery.enabled:
        origin = dict(config.origins).get("discovery.enabled", "as configured")
        return (Row("off", "search", f"off ({origin}): only [[engine]] entries are polled"),)
    return (
        _search(config, findings),
        *(() if surveyed is None else _survey_rows(surveyed)),
        *(() if findings is None else _outcome(findings)),
    )


def _surveyed(config: Config, gpus: GpusAnswer | None) -> Survey:
    known = gpu_pids(gpus) if isinstance(gpus, GpusReading) else None
    search = plan(config, known or ())
    hidden = sum(sockets(search.root, pid) is None for pid in known or ())
    choice = choose(search)
    return Survey(None if known is None else len(known), hidden, choice.rows, choice.total)


def _search(config: Config, findings: Findings | None) -> Row:
    search = plan(config, ())
    ports = [str(port) for port in dict.fromkeys((*search.ports, *search.usual))]
    named = ", ".join(ports[:SHOWN_PORTS])
    more = f" and {len(ports) - SHOWN_PORTS} more" if len(ports) > SHOWN_PORTS else ""
    words = f"GPU processes, command lines, and ports {named}{more} on {', '.join(search.hosts)}"
    if search.exclude:
        words += f"; never {', '.join(map(str, search.exclude))}"
    if findings is None or not findings.complete:
        todo = "a server there is slow; the full screen searches again every 30 s"
        return Row("warn", "search", f"{words}: it did not end in time", todo)
    return Row("ok", "search", words)


def _survey_rows(survey: Survey) -> tuple[Row, ...]:
    known = sum(one.command is not None for one in survey.candidates)
    listening = sum(one.listening is True for one in survey.candidates)
    unknown = sum(one.listening is None for one in survey.candidates)
    checked = str(len(survey.candidates))
    if survey.total is not None and survey.total > len(survey.candidates):
        checked += f" of {survey.total}"
    ports = f"{checked} checked, {listening} have a listener"
    on_gpu = "unknown" if survey.gpu_processes is None else str(survey.gpu_processes)
    found = [
        Row("info", "processes", f"on the GPUs: {on_gpu}; engines by their command line: {known}"),
        Row("info", "ports", f"{ports}, perhaps {unknown} more" if unknown else ports),
    ]
    if survey.hidden:
        todo = "run it as their user, or name the engine: [[engine]] url"
        words = f"the ports of {survey.hidden} GPU processes of other users"
        found.append(Row("info", "not seen", words, todo))
    return tuple(found)


def _outcome(findings: Findings) -> tuple[Row, ...]:
    count = len(findings.found)
    mark: Mark = "ok" if count else "info"
    return (
        Row(mark, "found", f"{count} engine{'' if count == 1 else 's'}"),
        *map(_starting, findings.starting),
        _kept(findings),
    )


def _starting(one: Found) -> Row:
    model = f", {one.model_hint}" if one.model_hint else ""
    process = f"process {one.pids[0]}" if one.pids else "its process"
    words = f"{one.kind} ({process}{model}) runs, and does not listen at {one.url} yet"
    return Row("info", "starting", words, "wait while it loads, or see its log")


def _kept(findings: Findings) -> Row:
    if not findings.complete or findings.starting:
        return Row("info", "kept", "not yet: the next call searches again")
    if recall(NAME, NONE_FOUND_TTL_S, time()) is None:
        todo = "give it a directory that is yours alone: XDG_RUNTIME_DIR"
        return Row("warn", "kept", "nowhere: every one-line call searches anew", todo)
    return Row("ok", "kept", "one-line calls use this: for 10 minutes, for 1 where none is found")
