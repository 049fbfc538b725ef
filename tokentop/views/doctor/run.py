"""`tokentop doctor`: one refresh, one search, and the report on both."""

import os
import platform
import sys
from typing import NamedTuple

from tokentop import __version__
from tokentop.config.schema import Config
from tokentop.domain.fold.services import SLOW_DRIVER_S
from tokentop.domain.gpu_pool import counted
from tokentop.domain.presence import has_stack
from tokentop.domain.readings import Failure, GpusReading
from tokentop.domain.reasons import MEND_SLOW_DRIVER
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import SILENT_STATES
from tokentop.runtime.oneshot.refresh import Refresher, RefreshResult
from tokentop.transport.discovery.findings import Findings
from tokentop.views.doctor import checks, costs, engines, search
from tokentop.views.doctor.report import Page, Row, Section, render
from tokentop.views.oneshot import NOTHING_ANSWERED, live
from tokentop.views.terminal import Terminal, detect

SEARCH_S = 1.0  # as the full screen's
NOT_WRITTEN = 2
SURVEY_S = 0.3  # of the deadline, to read the processes and sockets here


class Evidence(NamedTuple):
    """The results of one refresh and its search, and what is seen without a request."""

    result: RefreshResult = RefreshResult()
    findings: Findings | None = None
    survey: search.Survey | None = None


def run(config: Config, started: float, bundle: str | None = None) -> int:
    """Print the report; return 0 when at least one source works, 3 otherwise.

    With `bundle` a bug report is written there as well, or 2 returned where it cannot be.
    """
    until = started + config.deadline_s
    refresher = Refresher(config, min(SEARCH_S, config.deadline_s / 3))
    try:
        snapshot = refresher.refresh(until - SURVEY_S)
        survey = _survey(config, refresher.last, until)
        evidence = Evidence(refresher.last, refresher.findings, survey)
    finally:
        refresher.stop()
    terminal = detect(sys.stdout, os.environ)
    page = Page(
        color=terminal.colors > 0,
        ascii=config.ui.ascii or not terminal.utf8,
        width=terminal.columns if terminal.tty else 100,
    )
    found = sections(config, terminal, evidence, snapshot)
    _print(render(found, page))
    if bundle is not None:
        from tokentop.views.doctor import bundle as bundling

        plain = render(found, Page(width=100))
        try:
            _print(f"\n{bundling.write(bundle, config, plain, snapshot)}\n")
        except OSError as error:
            _print(f"\n{bundle} cannot be written: {error.strerror}\n")
            return NOT_WRITTEN
    return 0 if live(snapshot) else NOTHING_ANSWERED


def _print(text: str) -> None:
    if sys.stdout is not None:
        sys.stdout.write(text)
        sys.stdout.flush()


def sections(
    config: Config, terminal: Terminal, evidence: Evidence, snapshot: Snapshot
) -> tuple[Section, ...]:
    """Return the whole report; `evidence` is what `snapshot` was made of, and more."""
    searched = search.rows(config, evidence.findings, evidence.survey)
    return (
        Section("Program", _program(config)),
        Section("Terminal", _terminal(terminal, config)),
        Section("GPUs (NVIDIA driver, NVML)", _gpus(config, evidence.result)),
        Section("Discovery of engines", searched),
        *engines.sections(config, snapshot, evidence.findings),
        *engines.fleet(config, snapshot),
        Section("Costs", costs.rows(config, snapshot)),
        Section("TLS", checks.tls(config)),
        *checks.services(config, evidence.result, snapshot),
        *checks.offers(snapshot),
        Section("In short", (_verdict(snapshot),)),
    )


def _survey(config: Config, result: RefreshResult, until: float) -> search.Survey | None:
    if config.demo.enabled or not config.discovery.enabled:
        return None
    return search.survey(config, result.gpus, until)


def _program(config: Config) -> tuple[Row, ...]:
    rows = [
        Row("info", "tokentop", __version__),
        Row("info", "Python", f"{platform.python_version()} ({sys.executable})"),
        _file(config),
        *(Row("warn", "configuration", warning) for warning in config.warnings),
    ]
    if config.demo.enabled:
        rows.append(Row("info", "DEMO", "everything below is simulated"))
    return tuple(rows)


def _file(config: Config) -> Row:
    if config.file is not None:
        return Row("ok", "configuration", config.file)
    todo = "`tokentop config --example` prints a commented file; `tokentop config` what holds now"
    return Row("info", "configuration", "no file, the defaults hold", todo)


def _terminal(terminal: Terminal, config: Config) -> tuple[Row, ...]:
    return (
        _output(terminal),
        _colors(terminal),
        _characters(terminal, config),
        Row("info", "multiplexer", terminal.multiplexer or "none seen"),
    )


def _output(terminal: Terminal) -> Row:
    if not terminal.tty:
        return Row("info", "output", f"not a terminal (TERM={terminal.term or 'not set'})")
    size = f"{terminal.columns} × {terminal.rows} cells, TERM={terminal.term or '(not set)'}"
    if terminal.dumb:
        return Row("warn", "output", size, "this terminal cannot draw: use --compact or --json")
    if terminal.columns < 40 or terminal.rows < 12:
        return Row("warn", "output", size, "the full screen wants 40 × 12 at least, 80 × 24 best")
    return Row("ok", "output", size)


def _colors(terminal: Terminal) -> Row:
    if terminal.no_color:
        return Row("info", "colours", "none: NO_COLOR is set")
    if not terminal.colors:
        return Row("info", "colours", "none here")
    if terminal.colors == 16:
        count = "256" if "256color" in terminal.term else "16"
        todo = "if it can show 16.7 million colours, set COLORTERM=truecolor"
        return Row("ok", "colours", count, todo)
    return Row("ok", "colours", "16.7 million")


def _characters(terminal: Terminal, config: Config) -> Row:
    if config.ui.ascii:
        return Row("ok", "characters", "ASCII, as configured")
    if terminal.utf8:
        return Row("ok", "characters", "UTF-8; if bars look broken, use --ascii")
    todo = "for bars and signs set LANG to a UTF-8 locale, such as C.UTF-8"
    return Row("warn", "characters", "not UTF-8: ASCII stands in", todo)


def _gpus(config: Config, result: RefreshResult) -> tuple[Row, ...]:
    if not config.gpus or result.gpus is None:
        return (Row("off", "driver", "not polled, as configured"),)
    if isinstance(result.gpus, Failure):
        return (checks.driver_failure(result.gpus),)
    return (_driver(result.gpus, result), *checks.devices(result.gpus))


def _driver(reading: GpusReading, result: RefreshResult) -> Row:
    version = reading.driver_version or "of unknown version"
    count = sum(device.mig is None for device in reading.devices)
    speed = checks.milliseconds(result.gpus_latency_s)
    found = f"version {version}, {_counted(count, 'GPU')}, answered in {speed}"
    if (result.gpus_latency_s or 0.0) >= SLOW_DRIVER_S:
        return Row("warn", "driver", found, f"it is slow: {MEND_SLOW_DRIVER}")
    return Row("ok" if count else "warn", "driver", found)


def _verdict(snapshot: Snapshot) -> Row:
    states = [online for _, online in snapshot.services_online] if has_stack(snapshot) else []
    answering = sum(
        e.state not in (*SILENT_STATES, "auth-required") and e.kind != "prometheus"
        for e in snapshot.engines
    )
    gpus = len(counted(snapshot.gpus))
    services = f"{sum(states)} of {len(states)} services answer, " if states else ""
    found = f"{services}{_counted(answering, 'engine')}, {_counted(gpus, 'GPU')}"
    if live(snapshot):
        return Row("ok" if any(states) or answering or gpus else "warn", "result", found)
    todo = "see the advice above, or try `tokentop --demo`"
    return Row("fail", "result", "nothing answers", todo)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
