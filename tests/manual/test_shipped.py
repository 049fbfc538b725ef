"""What ships beside the program: the examples, the manual page, the README's tables."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.command import environment, in_process, run
from tests.manual.regenerate import MANUAL, README, ROOT, readme
from tokentop.arguments.options import COMMANDS, OPTIONS
from tokentop.manual.page import page
from tokentop.manual.shipped import SHIPPED
from tokentop.views.figures import FIELDS
from tokentop.views.tui.keys import KEYS

SHARE = ROOT / "tokentop" / "share"


def test_the_list_has_every_file_that_ships() -> None:
    """One line a file: its name and what it is."""
    there = {str(path.relative_to(SHARE)) for path in SHARE.rglob("*") if path.is_file()}
    rows = run("example").stdout.splitlines()
    assert {row.split()[0] for row in rows} == there
    assert all(len(row.split()) > 2 for row in rows)


@pytest.mark.parametrize("name", SHIPPED)
def test_an_example_is_printed_as_it_ships(name: str) -> None:
    """Byte for byte, also where the configuration is broken."""
    done = in_process("example", name, env=environment(TOKENTOP_INTERVAL="broken"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (SHARE / name).read_text(encoding="utf-8")


def test_an_unknown_example_says_where_the_names_are() -> None:
    done = in_process("example", "nonesuch")
    assert done.returncode == 2
    assert "`tokentop example` lists them" in done.stderr


def test_the_readme_and_the_manual_follow_the_tables() -> None:
    """If this fails: python -m tests.manual.regenerate, and read the difference."""
    text = README.read_text(encoding="utf-8")
    assert readme(text) == text
    assert MANUAL.read_text(encoding="utf-8") == page()


def test_the_manual_is_complete() -> None:
    """Rendered as man does: every flag, command, name of --format, key and example is there."""
    assert shutil.which("groff"), "install groff: the manual page is checked with it"
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-cbou", str(MANUAL)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    words = " ".join(done.stdout.split())
    wanted = [flag for option in OPTIONS for flag in option.flags]
    wanted += [command.name for command in COMMANDS]
    wanted += [*FIELDS, *SHIPPED, *(key.label for key in KEYS if key.shown)]
    assert [each for each in wanted if each not in words] == []


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    """Checked by systemd itself where it is installed, else by its sections."""
    unit = SHARE / "tokentop-watch.service"
    if shutil.which("systemd-analyze"):
        done = subprocess.run(
            ["systemd-analyze", "--user", "--man=no", "verify", str(unit)],
            capture_output=True, text=True, check=False,
            env=environment(XDG_RUNTIME_DIR=str(tmp_path)),
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
    assert [row for row in unit.read_text().splitlines() if row.startswith("[")] == [
        "[Unit]", "[Service]", "[Install]",
    ]  # fmt: skip


def test_the_units_command_is_one_that_runs() -> None:
    """What ExecStart names is taken as it stands, and ends with the code that the unit expects."""
    (line,) = [row for row in (SHARE / "tokentop-watch.service").read_text().splitlines()
               if row.startswith("ExecStart=")]  # fmt: skip
    words = line.split("tokentop ", 1)[1].split()
    done = run(*words, "--demo", wrapper=("timeout", "--preserve-status", "-s", "TERM", "3"))
    assert done.returncode == 143
    assert '"schema":"tokentop/1"' in done.stdout
