"""`--compact` and `--json`, once or with `--watch`: ask, print, and leave with the right code."""

import sys
from collections.abc import Callable
from os import environ, uname
from time import monotonic, time

from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import ANSWERING
from tokentop.light_typing import TYPE_CHECKING
from tokentop.named_tuple import NamedTuple
from tokentop.runtime.shared_snapshot import recall_shared
from tokentop.views.terminal import detect

if TYPE_CHECKING:
    from tokentop.config.reload import Reloader
    from tokentop.domain.alerts.values import Change
    from tokentop.runtime.oneshot.refresh import Refresher
    from tokentop.runtime.oneshot.remote import RemoteRefresher
    from tokentop.transport.nvml.wanted import Wanted
    from tokentop.views.template import Slot

__all__ = ["Options", "UsageError", "exit_code", "run"]

NOTHING_ANSWERED = 3


class UsageError(ValueError):
    """An argument that cannot be used, as one sentence."""


class Options(NamedTuple):
    """The arguments of a text view; `template` is `--format`, `width` in cells.

    `fresh` polls, whatever another process has left.
    """

    json: bool = False
    watch: bool = False
    template: str | None = None
    check: bool = False
    width: int | None = None
    fresh: bool = False


def run(config: Config, options: Options, started: float, again: "Reloader | None" = None) -> int:
    """Print and return the exit code; raises UsageError before the first request.

    `started` is the process's own monotonic start: the deadline counts from there. `again` reads
    the configuration again where its file changed, for --watch.
    """
    show = _show(config, options)
    _warn(config)
    if options.watch:
        return _watch(config, options, show, again)
    snapshot = None
    if not (options.fresh or config.connect):
        snapshot = recall_shared(config, time(), details=options.json)
    if snapshot is None:
        snapshot = _poll(config, options, started + config.deadline_s)
    _print(show(snapshot))
    _explain(config, snapshot)
    return exit_code(snapshot, check=options.check)


def _poll(config: Config, options: Options, deadline: float) -> Snapshot:
    refresher = _refresher(config, options)
    try:
        return refresher.refresh(deadline)
    finally:
        refresher.stop()


def _watch(
    config: Config, options: Options, show: Callable[[Snapshot], str], again: "Reloader | None"
) -> int:
    from tokentop.runtime import history
    from tokentop.runtime.alerts import Alerting
    from tokentop.views.watch import watch

    refresher = _refresher(config, options)
    try:
        if config.connect:  # what passes there is kept there
            return watch(refresher, show, config, in_place=not options.json)
        alerting = Alerting(config, uname().nodename)
        alerting.begin(_report, _ring)
        with history.keeping(config, uname().nodename, _report) as keep:

            def shown(snapshot: Snapshot) -> str:
                keep(snapshot)
                return show(alerting.follow(snapshot, monotonic(), refresher.config.alerts))

            return watch(refresher, shown, config, in_place=not options.json, again=again)
    finally:
        refresher.stop()


def _ring(change: "Change") -> None:
    """The terminal's bell or notification; nothing where standard error is no terminal."""
    from tokentop.views.notification import sequences

    if detect(sys.stderr, environ).tty:
        sys.stderr.write(sequences(change.actions, change.alert, environ))
        sys.stderr.flush()


def _refresher(config: Config, options: Options) -> "Refresher | RemoteRefresher":
    """What polls here, or asks the host that --connect names."""
    if config.connect:
        from tokentop.runtime.oneshot.remote import RemoteRefresher

        return RemoteRefresher(config)
    if options.watch:
        from tokentop.runtime.oneshot.shared_refresh import SharedRefresher

        return SharedRefresher(config, _wanted(config, options), fresh=options.fresh)
    from tokentop.runtime.oneshot.refresh import Refresher  # not for what another has polled

    return Refresher(config, wanted=_wanted(config, options))


def exit_code(snapshot: Snapshot, *, check: bool) -> int:
    """Return the verdict under --check, else whether any source is live."""
    if check:
        from tokentop.domain.verdict import check as checking

        return checking.exit_code(snapshot)
    return 0 if live(snapshot) else NOTHING_ANSWERED


def live(snapshot: Snapshot) -> bool:
    """Return whether any source gave a good answer in this poll."""
    return any(online for _, online in snapshot.services_online) or any(
        service.state in ANSWERING for service in snapshot.services
    )


def _wanted(config: Config, options: Options) -> "Wanted":
    """JSON has everything, a line utilisation and VRAM, and watts where they cost something."""
    from tokentop.transport.nvml.wanted import EVERYTHING, Wanted

    if options.json:
        return EVERYTHING
    return Wanted(power=config.policy.cost.usd_per_kwh is not None)


def _show(config: Config, options: Options) -> Callable[[Snapshot], str]:
    """Return what turns a snapshot into the text to print."""
    if options.json:
        from tokentop.domain.snapshot_json import dumps

        return _with_events(dumps) if options.watch else dumps
    from tokentop.views.line import Paint, line

    slots = None if options.template is None else _slots(options.template)
    terminal = detect(sys.stdout, environ)
    paint = Paint(terminal.colors, config.ui.ascii or not terminal.utf8, config.ui.theme)

    def show(snapshot: Snapshot) -> str:
        rewritten = options.watch and terminal.tty
        room = detect(sys.stdout, environ).columns - 1 if rewritten else None
        width = min((each for each in (options.width, room) if each is not None), default=None)
        return line(snapshot, slots=slots, paint=paint._replace(width=width, cut_at=room))

    return show


def _with_events(dumps: Callable[[Snapshot], str]) -> Callable[[Snapshot], str]:
    """Each line has what changed since the line before; the first one has nothing before it."""
    from tokentop.domain.events.log import EventLog

    log = EventLog()
    return lambda snapshot: dumps(snapshot._replace(events=log.add(snapshot, monotonic())))


def _report(sentence: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"tokentop: {sentence}\n")


def _slots(template: str) -> "tuple[Slot, ...]":
    from tokentop.views.template import TemplateError, parse

    try:
        return parse(template)
    except TemplateError as error:
        raise UsageError(str(error)) from None


def _warn(config: Config) -> None:
    """Warn once on stderr that certificates are not verified."""
    https = any(s.enabled and s.url.lower().startswith("https:") for s in config.services)
    if config.tls.verify or not https or config.demo.enabled or sys.stderr is None:
        return
    origin = dict(config.origins).get("tls.verify", "tls.verify = false")
    sys.stderr.write(f"tokentop: warning: TLS certificates are not verified ({origin})\n")


def _explain(config: Config, snapshot: Snapshot) -> None:
    """Say on stderr why a host that --connect names shows nothing live."""
    if config.connect and not live(snapshot) and sys.stderr is not None:
        sys.stderr.write(f"tokentop: {snapshot.demand.headline}\n")


def _print(text: str) -> None:
    if sys.stdout is not None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
