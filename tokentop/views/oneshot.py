"""`--compact` and `--json`, once or with `--watch`: ask, print, and leave with the right code."""

import sys
from collections.abc import Callable
from os import environ
from time import monotonic
from typing import NamedTuple

from tokentop.config.schema import Config
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_engines import ANSWERING
from tokentop.runtime.oneshot.refresh import Refresher
from tokentop.transport.nvml import EVERYTHING, Wanted
from tokentop.views.terminal import detect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokentop.config.reload import Reloader
    from tokentop.views.template import Slot

__all__ = ["Options", "UsageError", "exit_code", "run"]

NOTHING_ANSWERED = 3


class UsageError(ValueError):
    """An argument that cannot be used, as one sentence."""


class Options(NamedTuple):
    """The arguments of a text view; `template` is `--format`, `width` in cells."""

    json: bool = False
    watch: bool = False
    template: str | None = None
    check: bool = False
    width: int | None = None


def run(config: Config, options: Options, started: float, again: "Reloader | None" = None) -> int:
    """Print and return the exit code; raises UsageError before the first request.

    `started` is the process's own monotonic start: the deadline counts from there. `again` reads
    the configuration again where its file changed, for --watch.
    """
    show = _show(config, options)
    _warn(config)
    refresher = Refresher(config, wanted=_wanted(config, options))
    try:
        if options.watch:
            from tokentop.views.watch import watch

            return watch(refresher, show, config, in_place=not options.json, again=again)
        snapshot = refresher.refresh(started + config.deadline_s)
        _print(show(snapshot))
        return exit_code(snapshot, check=options.check)
    finally:
        refresher.stop()


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


def _wanted(config: Config, options: Options) -> Wanted:
    """JSON has everything, a line utilisation and VRAM, and watts where they cost something."""
    if options.json:
        return EVERYTHING
    return Wanted(power=config.policy.cost.usd_per_kwh is not None)


def _show(config: Config, options: Options) -> Callable[[Snapshot], str]:
    """Return what turns a snapshot into the text to print."""
    if options.json:
        from tokentop.views.json import dumps

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


def _print(text: str) -> None:
    if sys.stdout is not None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
