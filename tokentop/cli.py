"""The command line: reads the arguments, picks one view and imports only that one."""

import gc
import os
import sys
from contextlib import suppress
from time import monotonic

from tokentop.light_typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tokentop.arguments.parse import Arguments
    from tokentop.config.problems import Problem
    from tokentop.config.reload import Reloader
    from tokentop.config.schema import Config
    from tokentop.config.toml_file import Document
NO_KEYS = "standard input is not a terminal, and there is no /dev/tty to read keys from"
USAGE, UNKNOWN, CRASHED, INTERRUPTED, PIPE_CLOSED = 2, 3, 1, 130, 141


def entry() -> NoReturn:
    """The command: one view, and the end of the process.

    A text view has kept, written and closed all by then: to take the interpreter apart as well
    would be a fifth of its time.
    """
    # A thread without memory for its first call dies beneath Python; its words would stand beside a
    # line that is right. A function of our own would need that memory as well.
    sys.unraisablehook = bool
    code = _run(sys.argv[1:])
    if "tokentop.views.oneshot" in sys.modules:
        _end_now(code)
    sys.exit(code)


def main(argv: list[str] | None = None) -> int:
    """Run one view and return the process's exit code, for a process that goes on."""
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    finally:
        gc.enable()


def _run(words: list[str]) -> int:
    """The exit code of one view; raises nothing.

    A view that ends in 0.1 s has no garbage to collect; those that stay turn that on again.
    """
    started = monotonic()
    gc.disable()
    bad = UNKNOWN if "--check" in words else USAGE
    try:
        code = _guarded(words, started, bad)
    except (MemoryError, SystemError) as error:
        # Memory ran out once more while that was being worded; by now all that it took is free.
        code = _failed(error, bad)
    return _ended(code)


def _guarded(words: list[str], started: float, bad: int) -> int:
    try:
        return _main(words, started, bad)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _silence_stdout()
        return PIPE_CLOSED
    except OSError as error:
        _silence_stdout()
        from tokentop.fault import exhausted

        failed = f"input or output failed: {error.strerror}"
        return _say(exhausted(error) or failed, _crashed(bad))
    except Exception as error:  # noqa: BLE001  # a traceback would print locals, tokens among them
        return _failed(error, bad)


def _failed(error: Exception, bad: int) -> int:
    from tokentop.fault import exhausted, sentence

    return _say(exhausted(error) or sentence(error), _crashed(bad))


def _ended(code: int) -> int:
    """`code`; while the driver's library hangs in loading the process ends here and now.

    The usual way out closes all libraries, and so waits for the one that is being loaded.
    """
    library = sys.modules.get("tokentop.transport.nvml.shared_library")
    if library is not None and library.is_loading():
        _end_now(code)
    return code


def _end_now(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with suppress(OSError, ValueError):  # what failed was said when it was written
                stream.flush()
    os._exit(code)


def _main(words: list[str], started: float, bad: int) -> int:
    from tokentop.arguments.parse import Stop, parse

    try:
        args = parse(words)
    except Stop as stop:
        return _say(stop.text, bad) if stop.error else _print(stop.text)
    if args.view in ("example", "completion"):
        return _manual(args, bad)
    if args.view == "export":
        return _export(args)
    from tokentop.config.load import ConfigError, load

    try:
        config = load(args.overrides, os.environ, args.config, _parsed)
    except ConfigError as error:
        return _say(str(error), bad)
    if known := sys.modules.get("tokentop.runtime.known_file"):
        known.keep_parsed(config.file)
    for warning in config.warnings if args.view != "doctor" else ():  # which shows them itself
        _say(warning, 0)
    return (
        _screen(args, config)
        if args.view in ("screen", "replay")
        else _text_view(args, config, started, bad)
    )


def _parsed(path: str, text: str) -> "Document | Problem":
    from tokentop.runtime.known_file import parsed

    return parsed(path, text)


def _manual(args: "Arguments", bad: int) -> int:
    """Print what the program knows about itself; no configuration is read for that."""
    if args.view == "completion":
        from tokentop.manual.completion import script

        return _print(script(args.name or ""))
    from tokentop.manual import shipped

    if args.name is None:
        return _print(shipped.listing())
    try:
        return _print(shipped.contents(args.name))
    except KeyError:
        return _say("there is no such example; `tokentop example` lists them", bad)


def _export(args: "Arguments") -> int:
    """Print a recording as a table; no configuration is read for that."""
    from tokentop.transport.recording.reader import Recording
    from tokentop.transport.recording.writer import RecordingError
    from tokentop.views import export

    try:
        write = export.parquet if args.parquet else export.csv
        write(Recording(args.name or ""), _say)
    except (RecordingError, export.ExportError) as error:
        return _say(str(error), USAGE)
    return 0


def _text_view(args: "Arguments", config: "Config", started: float, bad: int) -> int:
    from tokentop.arguments.options import LEDGER_VERBS

    if args.view == "doctor":
        from tokentop.views.doctor.run import run as doctor

        return doctor(config, started, args.bundle)
    if args.view == "config":
        from tokentop.config import show

        return _print(show.example() if args.example else show.effective(config))
    if args.view == "serve":
        return _serve(args, config)
    if args.view in ("ledger", "stop", "resume", *LEDGER_VERBS):
        return _ledger(args, config)
    from tokentop.views import oneshot

    if args.watch:
        gc.enable()
    json = args.view == "json"
    options = oneshot.Options(json, args.watch, args.format, args.check, args.width, args.fresh)
    try:
        return oneshot.run(config, options, started, _again(args) if args.watch else None)
    except oneshot.UsageError as error:
        return _say(str(error), bad)


def _serve(args: "Arguments", config: "Config") -> int:
    from importlib.util import find_spec

    if not (find_spec("starlette") and find_spec("uvicorn")):
        return _say("`tokentop serve` needs an extra: pip install 'tokentop[serve]'", USAGE)
    if config.serve.web and not (find_spec("textual_serve") and find_spec("websockets")):
        return _say("`--web` needs another extra: pip install 'tokentop[serve,web]'", USAGE)
    from tokentop.views.serve import ServeError, serve

    gc.enable()
    try:
        return serve(config, os.environ, _again(args))
    except ServeError as error:
        return _say(str(error), USAGE)


def _ledger(args: "Arguments", config: "Config") -> int:
    from tokentop.transport.ledger.database import LedgerError
    from tokentop.views.ledger.call import UsageError
    from tokentop.views.ledger.command import decide, run

    gc.enable()
    try:
        if args.view == "stop" or args.view == "resume":
            return decide(args.name or "", args.view, config)
        if args.view == "ledger":
            return run(args.name, args.words[1:], args.ledger, config)
        return run(args.view, args.words, args.ledger, config)
    except (UsageError, LedgerError) as error:
        return _say(str(error), USAGE)


def _again(args: "Arguments") -> "Reloader":
    from tokentop.config.reload import reloader

    return reloader(args.overrides, os.environ, args.config)


def _screen(args: "Arguments", config: "Config") -> int:
    from tokentop.views.terminal import is_tty

    if not is_tty(sys.stdout):
        return _say("standard output is not a terminal; use --compact or --json there", USAGE)
    if os.environ.get("TERM") == "dumb":
        return _say("this terminal (TERM=dumb) cannot draw; use --compact or --json", USAGE)
    recording = None
    if args.view == "replay":
        from tokentop.transport.recording.reader import Recording
        from tokentop.transport.recording.writer import RecordingError

        try:
            recording = Recording(args.name or "")
        except RecordingError as error:
            return _say(str(error), USAGE)
    import tokentop.fault  # noqa: F401  # before the memory runs out that would word it
    from tokentop.views.tui.terminal.keyboard import take_keyboard

    try:
        take_keyboard()
    except OSError:
        return _say(NO_KEYS, USAGE)
    from tokentop.views.tui.terminal.early_keys import EarlyKeys

    with EarlyKeys() as keys:
        from tokentop.views.tui.terminal.asyncio_without_tls import load_asyncio

        load_asyncio()
        from tokentop.views.tui.run import run

        return run(config, keys, _again(args), recording)


def _crashed(bad: int) -> int:
    return UNKNOWN if bad == UNKNOWN else CRASHED  # to a monitoring plugin 1 would be a warning


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
