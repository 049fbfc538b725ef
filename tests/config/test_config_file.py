"""Where the file is found, what is said when it cannot be read, and what TOML can do to it."""

import os
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokentop.config import show
from tokentop.config.keys import table
from tokentop.config.load import ConfigError, load
from tokentop.config.schema import Config
from tokentop.config.toml_file import find, lines_of, usual_places
from tokentop.config.values import toml


def said(environ: dict[str, str], path: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load({}, environ, path)
    return str(caught.value)


def make(path: Path, interval: float) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"interval = {interval}")
    return str(path)


def test_the_file_is_found_where_the_platform_puts_it(tmp_path: Path) -> None:
    """--config, else TOKENTOP_CONFIG, else XDG's place, else ~/.config; empty is not given."""
    home = {"HOME": str(tmp_path), "TOKENTOP_CONFIG": "", "XDG_CONFIG_HOME": ""}
    make(tmp_path / ".config/tokentop/config.toml", 1.0)
    make(tmp_path / "xdg/tokentop/config.toml", 2.0)
    named, flagged = make(tmp_path / "named.toml", 3.0), make(tmp_path / "flagged.toml", 4.5)
    xdg = {**home, "XDG_CONFIG_HOME": f"{tmp_path}/xdg"}
    found = [
        load({}, home, None),
        load({}, {**home, "XDG_CONFIG_HOME": "relative"}, None),
        load({}, xdg, None),
        load({}, {**xdg, "TOKENTOP_CONFIG": "~/named.toml"}, None),
        load({}, {**xdg, "TOKENTOP_CONFIG": named}, flagged),
    ]
    assert [config.interval_s for config in found] == [1.0, 1.0, 2.0, 3.0, 4.5]
    assert found[3].file == named


def test_usual_places_by_platform() -> None:
    """macOS is looked for in both places, Windows in APPDATA."""
    home = {"HOME": "/h", "APPDATA": "/a"}
    assert usual_places(home, "linux") == ("/h/.config/tokentop/config.toml",)
    assert usual_places(home, "win32") == ("/a/tokentop/config.toml",)
    assert usual_places(home, "darwin") == (
        "/h/.config/tokentop/config.toml",
        "/h/Library/Application Support/tokentop/config.toml",
    )


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """A missing file is an error where it was named, and the message says where."""
    home, missing = {"HOME": str(tmp_path)}, f"{tmp_path}/no.toml"
    assert said(home, missing).startswith(f"flag --config: {missing} does not exist; ")
    assert said(home, "").startswith("flag --config: the empty path does not exist; ")
    assert said(home, "a\0b\x1b").startswith("flag --config: 'a\\x00b\\x1b' does not exist; ")
    variable = said({**home, "TOKENTOP_CONFIG": missing})
    assert variable.startswith(f"environment variable TOKENTOP_CONFIG: {missing} does not exist")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a = 1\nb = '\xff'", ":2: is not UTF-8 text; save it as UTF-8"),
        (b"#" * (1024 * 1024 + 1), ": is larger than 1 MiB; name a configuration file"),
        (None, ": is a directory; name the file in it"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    """Each is one sentence with the path and the mend."""
    path = tmp_path / "c.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    assert said({"HOME": str(tmp_path)}, str(path)) == f"{path}{sentence}"


@pytest.mark.parametrize("name", ["loop", "dangling"])
def test_a_link_that_leads_nowhere_is_not_skipped(tmp_path: Path, name: str) -> None:
    """A usual file that is there and cannot be opened is said, not taken for absent."""
    folder = tmp_path / ".config/tokentop"
    folder.mkdir(parents=True)
    os.symlink("config.toml" if name == "loop" else "gone", folder / "config.toml")
    assert "cannot be read (" in said({"HOME": str(tmp_path)})


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    """A named pipe would wait for a writer for ever."""
    os.mkfifo(tmp_path / "c.toml")
    text = said({"HOME": str(tmp_path)}, str(tmp_path / "c.toml"))
    assert text.startswith(f"{tmp_path}/c.toml: cannot be read (not a regular file); ")


@pytest.mark.parametrize("path", ["/dev/zero", "/x\0y", "/\ud800", "~\ud800/x"])
@pytest.mark.parametrize(
    "key", ["tls.ca_bundle", "prometheus.ca_bundle", "services.mint.token_file"]
)
def test_a_path_that_is_no_file_is_a_problem(tmp_path: Path, key: str, path: str) -> None:
    """A device, and a name that no file can have, are said as any other wrong path is."""
    flags = {key: path, "prometheus.url": "https://h"}
    with pytest.raises(ConfigError) as found:
        load(flags, {"HOME": str(tmp_path)}, None)
    (problem,) = found.value.problems
    assert problem.key == key
    assert any(why in problem.text for why in ("regular file", "such a name", "NUL"))


@pytest.mark.parametrize(
    "key", ["tls.ca_bundle", "prometheus.ca_bundle", "services.mint.token_file"]
)
def test_a_pipe_for_a_secret_or_a_certificate_is_refused_at_once(tmp_path: Path, key: str) -> None:
    """Nobody writes to it: opened as a file it would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError) as found:
        load({key: str(tmp_path / "pipe"), "prometheus.url": "https://h"}, {}, None)
    (problem,) = found.value.problems
    assert "cannot be read (not a regular file)" in problem.text


def test_a_byte_order_mark_and_crlf_do_no_harm(tmp_path: Path) -> None:
    """A file saved by Notepad loads, and lines are still counted right."""
    path = tmp_path / "c.toml"
    path.write_bytes(b"\xef\xbb\xbf[ui]\r\n\r\nascii = true\r\n")
    config = load({}, {"HOME": str(tmp_path)}, str(path))
    assert config.ui.ascii
    assert dict(config.origins)["ui.ascii"] == f"file {path}:3"


def uncommented(text: str) -> str:
    """Switch on every setting as the example's first lines tell a user to."""
    lines = text.splitlines()
    return "\n".join(x[1:] if x[:1] == "#" and x[1:2] not in (" ", "") else x for x in lines)


def test_example_loads_clean_and_changes_nothing(tmp_path: Path) -> None:
    """As it stands and with all settings on, the example is the default configuration."""
    home, path = {"HOME": str(tmp_path)}, tmp_path / "c.toml"
    default = load({}, home, None)
    for text in (show.example(), uncommented(show.example())):
        path.write_text(text)
        config = load({}, home, str(path))
        plain = [row._replace(configured=False, paths=()) for row in config.services]
        assert tuple(plain) == default.services
        same = config._replace(services=(), origins=(), file=None)
        assert same == default._replace(services=(), origins=())


def test_example_names_every_key(tmp_path: Path) -> None:
    """With all settings on, each key of the table comes from its own line of the file."""
    path = tmp_path / "c.toml"
    path.write_text(uncommented(show.example()))
    origins = dict(load({}, {"HOME": str(tmp_path)}, str(path)).origins)
    lines = path.read_text().splitlines()
    for key in table().values():
        if key.in_file and key.name != "tls.ca_bundle":
            number = int(origins[key.name].rpartition(":")[2])
            assert lines[number - 1].startswith(f"{key.leaf} = ")


def test_effective_shows_every_value_with_its_origin(tmp_path: Path) -> None:
    """Each line is key = value  # origin, aligned, and loads again as the file it could be."""
    path = make(tmp_path / "c.toml", 9.0)
    home = {"HOME": str(tmp_path), "AITHER_MINT_URL": "https://mint:1/"}
    config = load({"ui.ascii": True}, home, path)
    text = show.effective(config)
    first, *lines = text.splitlines()
    assert first == f"# read from {path}"
    assert len({line.index("  # ") for line in lines}) == 1
    pairs = {line.split(" = ")[0]: line.partition(" = ")[2].split() for line in lines}
    assert pairs["interval"] == ["9.0", "#", "file", f"{path}:1"]
    assert pairs["ui.ascii"] == ["true", "#", "flag", "--ascii"]
    assert pairs["services.mint.url"] == ['"https://mint:1"', "#", "environment", "AITHER_MINT_URL"]
    assert pairs["timeout"] == ["2.5", "#", "default"]
    again = tmp_path / "again.toml"
    again.write_text(text)
    assert load({}, home, str(again)).policy == config.policy
    assert "no file; looked for" in show.effective(load({}, {"HOME": str(tmp_path)}, None))


def test_effective_shows_the_demo_only_in_it() -> None:
    """What belongs to the demo is shown where the demo runs."""
    home = {"HOME": "/nowhere"}
    assert "demo." not in show.effective(load({}, home, None))
    assert "demo.seed = 5" in show.effective(
        load({"demo.enabled": True, "demo.seed": 5}, home, None)
    )


names = st.text(st.sampled_from(string.ascii_letters + string.digits + "_-"), min_size=1)
known = st.sampled_from(sorted({part for name in table() for part in name.split(".")}))
scalars = st.one_of(
    st.integers(),
    st.floats(),
    st.booleans(),
    st.text(st.characters(codec="utf-8")),
    st.just("http://a"),
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3), max_leaves=5)
keys = st.one_of(known, names, st.text(st.characters(codec="utf-8"), max_size=5))
documents = st.recursive(
    st.dictionaries(keys, values, max_size=4),
    lambda inner: st.dictionaries(keys, st.one_of(values, inner), max_size=4),
    max_leaves=12,
)


def written(document: dict[str, object], prefix: tuple[str, ...] = ()) -> str:
    """Write tables as TOML: plain values first, then one section per table."""
    tables = {k: v for k, v in document.items() if isinstance(v, dict)}
    lines = [f"{toml(k)} = {toml(v)}" for k, v in document.items() if k not in tables]
    if prefix:
        lines.insert(0, f"[{'.'.join(map(toml, prefix))}]")
    lines += [written(v, (*prefix, k)) for k, v in tables.items()]
    return "\n".join(lines)


def attempt(
    flags: dict[str, object], environ: dict[str, str], path: Path | None
) -> Config | ConfigError:
    """Load; anything but a refusal is raised."""
    try:
        return load(flags, environ, None if path is None else str(path))
    except ConfigError as error:
        return error


def load_text(folder: Path, data: bytes) -> None:
    """Load; a refusal must be complete, printable, and say where."""
    path = folder / "c.toml"
    path.write_bytes(data)
    found = attempt({}, {"HOME": str(folder)}, path)
    if isinstance(found, Config):
        assert show.effective(found)
        return
    assert found.problems
    for line in str(found).splitlines():
        assert line.isprintable()
        assert line.startswith((str(path), "and "))


@settings(max_examples=60)
@given(document=documents)
def test_any_document_loads_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, object]
) -> None:
    """No TOML document raises anything but ConfigError."""
    load_text(tmp_path_factory.mktemp("any", numbered=True), written(document).encode())


@settings(max_examples=60)
@given(data=st.one_of(st.binary(), st.text("[]\"'=.#\n\\x1e _'", max_size=80).map(str.encode)))
def test_any_bytes_load_or_are_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """No file's bytes raise anything but ConfigError."""
    load_text(tmp_path_factory.mktemp("bytes", numbered=True), data)


@settings(max_examples=60)
@given(name=st.sampled_from(sorted(table())), value=values)
def test_any_value_of_any_key_is_taken_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, name: str, value: object
) -> None:
    """A value of any type at a known key loads, or is refused at that key's line."""
    path = tmp_path_factory.mktemp("value", numbered=True) / "c.toml"
    path.write_text(f"# one\n{name} = {toml(value)}\n", "utf-8")
    found = attempt({}, {"HOME": str(path.parent)}, path)
    if isinstance(found, ConfigError):
        assert {problem.line for problem in found.problems} == {2}
        assert all(name.startswith(problem.key) for problem in found.problems)
    else:
        assert dict(found.origins)[name] == f"file {path}:2" or name == "tls.ca_bundle"


@settings(max_examples=60)
@given(flags=st.dictionaries(st.sampled_from(sorted(table())), st.one_of(st.none(), values)),
       environ=st.dictionaries(st.sampled_from([v for k in table().values() for v in k.env]),
                               st.text(st.characters(exclude_characters="\0"))))  # fmt: skip
def test_any_flags_and_environment_load_or_are_refused(
    flags: dict[str, object], environ: dict[str, str]
) -> None:
    """No flag's value and no variable raise anything but ConfigError, which can be printed."""
    found = attempt(flags, {**environ, "HOME": "/nowhere"}, None)
    shown = show.effective(found) if isinstance(found, Config) else str(found)
    assert "".join(shown.splitlines()).isprintable()


@given(st.lists(st.tuples(names, st.lists(names, unique=True)), unique_by=lambda pair: pair[0]))
def test_lines_are_found(sections: list[tuple[str, list[str]]]) -> None:
    """Each key of a plainly written file is found at its own line, whatever stands between."""
    lines: list[str] = []
    expected: dict[str, int] = {}
    for section, members in sections:
        lines += ["", f" [ {section} ] # = x", 'note = """', f"[{section}]", 'x = 1 """']
        for member in members:
            lines += ["# note = 1", f'  "{member}"\t= [ # x', "]"]
            if len(member) <= 60 and len(section) <= 60 and member != "note":
                expected[f"{section}.{member}"] = len(lines) - 1
    found = lines_of("\n".join(lines))
    assert {key: find(found, key) for key in expected} == expected


def test_an_inline_table_gives_its_own_line() -> None:
    """Keys inside an inline table are placed at the line that holds it."""
    found = lines_of('\nservices = { mint = { url = "x" } }')
    assert find(found, "services.mint.url") == 2
    assert find(found, "other") is None
