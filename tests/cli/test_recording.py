"""`--record`, `replay`, `export` and `doctor --bundle` as commands."""

import csv
import gzip
import json
import subprocess
import zipfile
from io import StringIO
from pathlib import Path
from threading import Event

import pytest

from tests.cli.command import TOKENTOP, environment, in_process, in_terminal, run, started
from tests.cli.stack import serving
from tests.recordings import recorded
from tokentop.domain.snapshot import Snapshot
from tokentop.domain.snapshot_json import dumps
from tokentop.transport.recording.writer import RecordingWriter, Target

FAST = ("--watch", "--no-gpus", "--interval", "0.5")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    runtime = tmp_path / "runtime"
    runtime.mkdir(0o700)
    return environment(XDG_RUNTIME_DIR=str(runtime))


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "demo.rec"
    recorded(path, 20)
    return path


def lines(file: Path) -> list[dict[str, object]]:
    """The snapshots of a recording, read by Python's own gzip."""
    with gzip.open(file) as opened:
        return [json.loads(line) for line in opened]


def test_a_watch_records_what_it_prints(env: dict[str, str], tmp_path: Path) -> None:
    """Each line, whatever is printed of it; ended by a signal the file is complete."""
    file = tmp_path / "night.rec"
    with started("--json", "--demo=stack", *FAST, "--record", str(file), env=env) as watch:
        assert watch.stdout is not None
        printed = [json.loads(watch.stdout.readline()) for _ in range(3)]
        watch.terminate()
        watch.wait()
    found = lines(file)
    assert [each["at"] for each in found[:3]] == [each["at"] for each in printed]
    assert found[0] == {**printed[0], "events": []}


def test_the_screen_records_each_round_until_q(env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "night.rec"
    with serving() as url:
        words = ("--no-gpus", "--interval", "0.5", "--record", str(file))
        with in_terminal(*words, env=env | environment(url), columns=120) as screen:
            screen.until("2.13")
            while not file.exists():  # the first round is over
                Event().wait(0.01)
            screen.press("q")
            assert screen.end() == 0
    found = lines(file)
    assert found
    assert found[-1]["pricing"]["multiplier"] == 2.13  # type: ignore[index]
    moments = [str(each["at"]) for each in found]
    assert moments == sorted(set(moments))


def test_what_cannot_be_recorded_to_stops_nothing(env: dict[str, str], tmp_path: Path) -> None:
    """One sentence, once; every line is printed."""
    file = tmp_path / "diary"
    file.write_text("my diary")
    with started("--compact", "--demo=stack", *FAST, "--record", str(file), env=env) as watch:
        assert watch.stdout is not None
        assert watch.stderr is not None
        for _ in range(3):
            assert watch.stdout.readline()
        watch.terminate()
        said = watch.stderr.read()
    assert said == f"tokentop: {file} is no recording; it is left as it is\n"
    assert file.read_text() == "my diary"


def test_a_second_recorder_is_told(env: dict[str, str], tmp_path: Path) -> None:
    words = ("--json", "--demo=stack", *FAST, "--record", str(tmp_path / "night.rec"))
    with started(*words, env=env) as one:
        assert one.stdout is not None
        one.stdout.readline()
        with started(*words, env=env) as other:
            assert other.stderr is not None
            assert "is being recorded to by another process" in other.stderr.readline()


def test_where_to_record_follows_the_file_while_running(
    env: dict[str, str], tmp_path: Path
) -> None:
    """Like prices do."""
    config, file = tmp_path / "config.toml", tmp_path / "night.rec"
    config.write_text("")
    with started("--json", *FAST, "--config", str(config), env=env) as watch:
        assert watch.stdout is not None
        watch.stdout.readline()
        config.write_text('[recording]\nfile = "night.rec"\n')
        while not file.exists():
            assert watch.stdout.readline()
        watch.terminate()
        watch.wait()
    assert lines(file)


def test_replay_plays_until_q(tape: Path, env: dict[str, str]) -> None:
    with in_terminal("replay", str(tape), env=env, columns=120) as screen:
        screen.until("go to")
        screen.until("DEMO")
        screen.press("q")
        assert screen.end() == 0


@pytest.mark.parametrize(
    "content", [None, b"", b"a diary", bytes(5000)], ids=["none", "empty", "text", "zeros"]
)
def test_what_is_no_recording_is_refused_in_a_sentence(
    tmp_path: Path, env: dict[str, str], content: bytes | None
) -> None:
    file = tmp_path / "night.rec"
    if content is not None:
        file.write_bytes(content)
    why = "holds no snapshot that can be read"
    if content is None:
        why = "cannot be read: No such file"
    done = in_process("export", "--csv", str(file), env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"tokentop: {file} {why}" in done.stderr


def test_what_is_no_recording_is_not_played(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "night.rec"
    file.write_bytes(b"a diary")
    with in_terminal("replay", str(file), env=env, columns=200) as screen:
        assert screen.end() == 2
    assert f"tokentop: {file} holds no snapshot that can be read" in screen.seen


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["replay"], "`tokentop replay` needs the recording's file"),
        (["export", "x"], "takes one of --csv and --parquet"),
        (["export", "x", "--csv", "--parquet"], "takes one of --csv and --parquet"),
        (["--parquet"], "`tokentop export FILE` takes one of --csv and --parquet"),
        (["--bundle", "x"], "--bundle is for `tokentop doctor`"),
    ],
)
def test_usage(words: list[str], sentence: str) -> None:
    done = in_process(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_export_as_csv(tape: Path, env: dict[str, str]) -> None:
    """A row a snapshot, under the names of --format; the figures are the recording's own."""
    done = run("export", str(tape), "--csv", env=env)
    rows = list(csv.DictReader(StringIO(done.stdout)))
    found = lines(tape)
    assert (done.returncode, done.stderr, len(rows)) == (0, "", len(found))
    for row, snapshot in zip(rows, found, strict=True):
        llm, pricing = snapshot["llm"], snapshot["pricing"]
        assert row["at"] == snapshot["at"]
        assert int(row["queued"]) == llm["queued"]  # type: ignore[index]
        assert float(row["multiplier"]) == pricing["multiplier"]  # type: ignore[index]
        assert row["tier"] == snapshot["demand"]["tier"]  # type: ignore[index]


def test_no_name_is_a_formula(tmp_path: Path, env: dict[str, str]) -> None:
    """A machine's or a model's name is a stranger's; a spreadsheet would run this one."""
    file = tmp_path / "night.rec"
    writer = RecordingWriter(Target(str(file)))
    snapshot = Snapshot(host="=HYPERLINK(1)", at="2026-11-21T12:00:00.000Z")
    writer.add(dumps(snapshot).encode(), None)
    writer.close()
    (row,) = csv.DictReader(StringIO(in_process("export", str(file), "--csv", env=env).stdout))
    assert row["host"] == "'=HYPERLINK(1)"


def test_export_as_parquet(tape: Path, env: dict[str, str], tmp_path: Path) -> None:
    """As pyarrow reads it: UTC moments, numbers and text as --csv has them; no word is a number."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="no pyarrow: install the extra parquet")
    table = tmp_path / "night.parquet"
    with table.open("wb") as out:
        done = subprocess.run(
            [TOKENTOP, "export", str(tape), "--parquet"],
            env=env,
            stdout=out,
            stderr=subprocess.PIPE,
            check=True,
        )
    assert done.stderr == b""
    read = parquet.read_table(table)
    assert str(read.schema.field("at").type) == "timestamp[ms, tz=UTC]"
    rows = list(csv.DictReader(StringIO(in_process("export", str(tape), "--csv", env=env).stdout)))
    assert read.num_rows == len(rows)
    for found, row in zip(read.to_pylist(), rows, strict=True):
        moment = found.pop("at")
        assert moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") == row.pop("at")
        for name, value in found.items():
            if read.schema.field(name).type == "double":
                assert value == (None if row[name] in ("", "free") else float(row[name])), name
            else:
                assert (value or "") == row[name], name


def test_export_says_what_is_damaged(tape: Path, tmp_path: Path, env: dict[str, str]) -> None:
    copy = tmp_path / "copy.rec"
    copy.write_bytes(b"\0" * 10 + tape.read_bytes())
    done = in_process("export", str(copy), "--csv", env=env)
    assert done.returncode == 0
    assert done.stderr == "tokentop: 10 bytes of the recording are damaged and left out\n"
    assert len(done.stdout.splitlines()) == 21


def test_parquet_needs_pyarrow(tape: Path, env: dict[str, str], tmp_path: Path) -> None:
    """Where it is missing that is one sentence; nothing is printed."""
    (tmp_path / "pyarrow.py").write_text("raise ImportError\n")
    done = run("export", str(tape), "--parquet", env=env | {"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tokentop: --parquet needs pyarrow")


def test_a_bundle_has_everything_but_secrets(env: dict[str, str], tmp_path: Path) -> None:
    """The token, in the configuration and echoed by a service, is in none of its parts."""
    secret, file, bundle = "tok-9f8e7d6c5b4a", tmp_path / "night.rec", tmp_path / "bug.zip"
    config = tmp_path / "config.toml"
    config.write_text(f'recording.file = "{file}"\n[services.mint]\ntoken_env = "MINT"\n')
    models = {"queued": 1, "models_loaded": [f"model {secret}", "http://u:pass@h/m?key=abc"]}
    with serving(llm_queue=models) as url:
        env = env | environment(url) | {"MINT": secret}
        words = ("--config", str(config), "--no-gpus")
        with started("--json", "--watch", *words, env=env) as watch:
            assert watch.stdout is not None
            assert secret in watch.stdout.readline()  # the server named a model so
            watch.terminate()
            watch.wait()
        done = run("doctor", *words, "--bundle", str(bundle), env=env)
    assert "the last 1 of the recording" in done.stdout
    assert bundle.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(bundle) as opened:
        parts = {name: opened.read(name) for name in opened.namelist()}
    parts["recording.jsonl.gz"] = gzip.decompress(parts["recording.jsonl.gz"])
    assert set(parts) == {"report.txt", "configuration.txt", "versions.txt", "snapshot.json",
                          "recording.jsonl.gz"}  # fmt: skip
    for part in parts.values():
        assert not any(word in part.decode() for word in (secret, "pass@", "key=abc"))
    assert "model ***" in json.loads(parts["recording.jsonl.gz"])["llm"]["models"]
    assert b"textual" in parts["versions.txt"]


def test_a_bundle_replaces_no_file(env: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "bug.zip"
    file.write_text("precious")
    done = in_process("doctor", "--demo=stack", "--demo-at", "20", "--bundle", str(file), env=env)
    assert done.returncode == 2
    assert f"{file} cannot be written: File exists" in done.stdout
    assert file.read_text() == "precious"


def test_a_reader_that_leaves_ends_an_export(tape: Path, env: dict[str, str]) -> None:
    """`tokentop export ... | head` is no error worth a traceback."""
    with subprocess.Popen(
        [TOKENTOP, "export", str(tape), "--csv"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
