"""The command line: reads the arguments, picks one view and imports only that one."""

import os
import sys
from time import monotonic

from tokentop import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tokentop.arguments import Arguments
    from tokentop.config.schema import Config

USAGE, UNKNOWN, CRASHED, INTERRUPTED, PIPE_CLOSED = 2, 3, 1, 130, 141


def main(argv: list[str] | None = None) -> int:
    """Run one view and return the process's exit code; nothing is raised but by the full screen."""
    started = monotonic()
    words = sys.argv[1:] if argv is None else argv
    try:
        return _main(words, started)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return PIPE_CLOSED


def _main(words: list[str], started: float) -> int:
    from tokentop.arguments import Stop, parse

    bad = UNKNOWN if "--check" in words else USAGE
    try:
        args = parse(words)
    except Stop as stop:
        return _say(stop.text, bad) if stop.error else _print(stop.text)
    from tokentop.config.load import ConfigError, load

    try:
        config = load(args.overrides, os.environ, args.config)
    except ConfigError as error:
        return _say(str(error), bad)
    return _view(args, config, started, bad)


def _view(args: "Arguments", config: "Config", started: float, bad: int) -> int:
    if args.view == "screen":
        return _screen(config)
    try:
        return _text_view(args, config, started, bad)
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except OSError as error:
        _silence_stdout()
        return _say(f"standard output cannot be written: {error.strerror}", CRASHED)
    except Exception as error:  # noqa: BLE001  # a traceback would print locals, tokens among them
        return _say(_crash(error), UNKNOWN if bad == UNKNOWN else CRASHED)


def _text_view(args: "Arguments", config: "Config", started: float, bad: int) -> int:
    if args.view == "doctor":
        from tokentop.views.doctor import run as doctor

        return doctor(config, started)
    if args.view == "config":
        from tokentop.config import show

        return _print(show.example() if args.example else show.effective(config))
    from tokentop.views import oneshot

    options = oneshot.Options(args.view == "json", args.watch, args.format, args.check)
    try:
        return oneshot.run(config, options, started)
    except oneshot.TemplateError as error:
        return _say(str(error), bad)


def _screen(config: "Config") -> int:
    from tokentop.views.terminal import is_tty

    if not is_tty(sys.stdout):
        return _say("standard output is not a terminal; use --compact or --json there", USAGE)
    if os.environ.get("TERM") == "dumb":
        return _say("this terminal (TERM=dumb) cannot draw; use --compact or --json", USAGE)
    from tokentop.views.tui.app import run

    return run(config)


def _crash(error: Exception) -> str:
    """Name the kind of fault and the place, without values: they may hold a secret."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else _place(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
    return f"unexpected {type(error).__name__}{place}; please report it (version {__version__})"


def _place(filename: str, line: int) -> str:
    return f" in {os.path.basename(filename)}:{line}"


def _print(text: str) -> int:
    if sys.stdout is not None:
        sys.stdout.write(text.rstrip("\n") + "\n")
        sys.stdout.flush()
    return 0


def _say(text: str, code: int) -> int:
    if sys.stderr is not None:
        for line in text.splitlines():
            sys.stderr.write(f"tokentop: {line}\n")
    return code


def _silence_stdout() -> None:
    """Point stdout at nothing, or the interpreter complains of the closed pipe as it leaves."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        sys.stdout = None
