"""The history store behind the installed command: who writes it, and what is said when it fails."""

import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.command import PATIENCE_S, environment, in_process, in_terminal, started
from tests.cli.stack import serving
from tests.cli.test_serve import until
from tests.runtime.serve.greeting import port_of

FAST = ("--compact", "--watch", "--no-gpus", "--interval", "0.5")
LINE = "GPU 42% │ VRAM 18.2/24.0G"


def keeping(url: str, folder: Path) -> dict[str, str]:
    return environment(url, XDG_STATE_HOME=str(folder), TOKENTOP_HISTORY="true")


def store(folder: Path) -> Path | None:
    return next((folder / "tokentop").glob("history-*.db"), None)


def watched(env: dict[str, str], *more: str, lines: int = 3) -> tuple[list[str], str]:
    """So many lines of --watch, and all of its standard error."""
    with started(*FAST, *more, env=env) as process:
        assert process.stdout is not None
        seen = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGTERM)
        return seen, process.communicate()[1]


def test_what_watch_polls_is_kept(tmp_path: Path) -> None:
    """A row a refresh, also the last ones before it ends; what nobody reports is NULL."""
    with serving() as url:
        seen, errors = watched(keeping(url, tmp_path))
    assert all(line.startswith(LINE) for line in seen)
    assert errors == ""
    path = store(tmp_path)
    assert path is not None
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT vram_fraction, kv_cache FROM sample").fetchall()
    assert len(rows) >= 3
    assert {kv_cache for _, kv_cache in rows} == {None}
    assert [vram for vram, _ in rows] == pytest.approx([18.2 / 24.0] * len(rows), abs=0.001)


def test_the_service_keeps_what_it_polls(tmp_path: Path) -> None:
    with serving() as url:
        words = ("serve", "--port", "0", "--no-gpus", "--interval", "0.5")
        with started(*words, env=keeping(url, tmp_path)) as process:
            service = f"http://127.0.0.1:{port_of(process)}"
            until(service, "gpus", 0, "vram_total_bytes", value=24 * 2**30)
            process.terminate()
            assert process.wait(PATIENCE_S) == 0
    assert vram(tmp_path) == pytest.approx(18.2 / 24.0, abs=0.001)


def test_the_screen_keeps_what_it_polls(tmp_path: Path) -> None:
    """Also the last seconds before `q`, and without a word about it."""
    with serving() as url:
        env = keeping(url, tmp_path)
        with in_terminal("--no-gpus", "--interval", "0.5", env=env) as terminal:
            terminal.until("18.2")
            terminal.press("q")
            assert terminal.end() == 0
    assert "The history" not in terminal.seen
    assert vram(tmp_path) == pytest.approx(18.2 / 24.0, abs=0.001)


def vram(folder: Path) -> float | None:
    """The newest VRAM in the store."""
    path = store(folder)
    if path is None or not path.stat().st_size:
        return None
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT vram_fraction FROM sample ORDER BY t DESC").fetchone()
    return None if found is None else found[0]


@pytest.mark.parametrize("words", [("--compact",), ("--json",), ("--check",)])
def test_a_one_shot_keeps_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    with serving() as url:
        in_process(*words, "--no-gpus", env=keeping(url, tmp_path))
    assert not (tmp_path / "tokentop").exists()


@pytest.mark.parametrize("flag", ["--demo=stack", "--config"])
def test_nothing_is_kept_of_a_simulation_or_where_it_is_switched_off(
    tmp_path: Path, flag: str
) -> None:
    off = tmp_path / "off.toml"
    off.write_text("[history]\nenabled = false\n")
    with serving() as url:
        env = keeping(url, tmp_path)
        del env["TOKENTOP_HISTORY"]  # it would win over the file
        watched(env, *((flag,) if flag != "--config" else (flag, str(off))), lines=1)
    assert store(tmp_path) is None


def test_two_at_once(tmp_path: Path) -> None:
    """The second is refused in a sentence, and prints its lines all the same."""
    with serving() as url:
        env = keeping(url, tmp_path)
        with started(*FAST, env=env) as first:
            assert first.stdout is not None
            first.stdout.readline()
            seen, errors = watched(env, lines=2)
            assert first.poll() is None
    assert all(line.startswith(LINE) for line in seen)
    assert errors == (
        f"tokentop: Another tokentop (process {first.pid}) keeps the history; "
        "this one shows it and adds nothing.\n"
    )


def test_a_damaged_store_is_one_sentence(tmp_path: Path) -> None:
    with serving() as url:
        env = keeping(url, tmp_path)
        watched(env, lines=1)
        path = store(tmp_path)
        assert path is not None
        path.write_bytes(b"not a history" * 1000)
        seen, errors = watched(env, lines=1)
    assert seen[0].startswith(LINE)
    aside = re.fullmatch(
        r"tokentop: The history was damaged: it is kept as (.*), and a new one was begun\.\n",
        errors,
    )
    assert aside is not None
    assert Path(aside[1]).read_bytes() == b"not a history" * 1000


def test_a_state_directory_that_cannot_be_made(tmp_path: Path) -> None:
    with serving() as url:
        seen, errors = watched(keeping(url, Path("/proc/nowhere")), lines=1)
    assert seen[0].startswith(LINE)
    assert errors.startswith("tokentop: The history is not kept: its directory ")
    assert errors.count("\n") == 1
