"""Engines that the user names, and every mistake about them, their fleet and their cost."""

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokentop.config import show
from tokentop.config.keys import KINDS, engine
from tokentop.config.load import ConfigError, load
from tokentop.config.schema import Config, EngineConfig
from tokentop.config.values import toml

SECRET = "sk-Zq83_hush.hush"


def read(home: Path, text: str, flags: dict[str, object] | None = None, **environ: str) -> Config:
    path = home / "config.toml"
    path.write_text(text)
    return load(flags or {}, {"HOME": str(home), **environ}, str(path))


def refused(home: Path, text: str, **environ: str) -> list[str]:
    """Return the sentences without the folder, none of which holds the secret."""
    with pytest.raises(ConfigError) as caught:
        read(home, text, None, **environ)
    assert SECRET not in str(caught.value)
    return str(caught.value).replace(f"{home}/", "").splitlines()


FLEET = """\
[[engine]]
url = "https://one:8000/"
[ui]
ascii = true
[[engine]]
name = "two"
url = "http://127.0.0.1:30000/base"
kind = "sglang"
token_env = "TWO_KEY"
max_slots = 64
"""


def test_engines_in_the_files_order(tmp_path: Path) -> None:
    """Each [[engine]] is an engine with its own key, wherever its block stands."""
    config = read(tmp_path, FLEET, TWO_KEY=SECRET)
    one, two = config.engines
    assert one == EngineConfig("one:8000", "https://one:8000")
    assert two._replace(token=None) == EngineConfig(
        "two", "http://127.0.0.1:30000/base", "sglang", None, 64
    )
    assert two.token is not None
    assert two.token.reveal() == SECRET
    origins = dict(config.origins)
    assert origins["engine[2].max_slots"] == f"file {tmp_path}/config.toml:10"
    assert origins["engine[2].token"] == "environment TWO_KEY"


def test_engines_written_on_one_line(tmp_path: Path) -> None:
    """An array of inline tables means the same; a mistake there is at the array's line."""
    config = read(tmp_path, 'engine = [{url = "http://a"}, {url = "http://b"}]')
    assert [row.name for row in config.engines] == ["a", "b"]
    (said,) = refused(tmp_path, '\nengine = [{url = "http://a"}, {kind = "vllm"}]')
    assert said.startswith("config.toml:2: engine[2].url: is missing; write url = ")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_named(tmp_path: Path, kind: str) -> None:
    """What can be distinguished can be named."""
    config = read(tmp_path, f'[[engine]]\nurl = "http://a"\nkind = "{kind}"')
    assert config.engines[0].kind == kind


def test_effective_shows_engines_and_can_be_read_again(tmp_path: Path) -> None:
    """What is shown holds no token, names each origin, and loads to the same but for that token."""
    config = read(tmp_path, FLEET, TWO_KEY=SECRET)
    text = show.effective(config)
    assert SECRET not in text
    assert f"max_slots = 64                       # file {tmp_path}/config.toml:10" in text
    assert "token = ***" in text
    again = read(tmp_path, "\n".join(x for x in text.splitlines() if not x.startswith("token =")))
    assert again.engines == tuple(row._replace(token=None) for row in config.engines)


def test_the_examples_engine_can_be_used(tmp_path: Path) -> None:
    """The block in the example names every key and loads as it stands, but for a token."""
    lines = show.example().splitlines()
    start = lines.index("# [[engine]]")
    block = [line[2:] for line in lines[start : start + 1 + len(engine())]]
    assert [line.split()[0] for line in block[1:]] == list(engine())
    (row,) = read(tmp_path, "\n".join(block)).engines
    assert row == EngineConfig("chat", "http://gpu-box:8000", "vllm", None, 256)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[engine]\nurl = 'http://a'",
            "1: engine: needs two brackets, once for each engine; write",
        ),
        ("engine = 5", "1: engine: needs two brackets"),
        ("engine = [1]", "1: engine: needs two brackets"),
        ("[[engine]]", "1: engine[1].url: is missing; write url ="),
        ("[[engine]]\nurl = ''", "2: engine[1].url: is missing; write url ="),
        ("[[engine]]\nurl = 'a:1'", "2: engine[1].url: does not start with http"),
        (
            "[[engine]]\nurl = 'http://a'\nkind = 'vlm'",
            '3: engine[1].kind: "vlm" is not known; did',
        ),
        (
            "[[engine]]\nurl = 'http://a'\nmaxslots = 3",
            "3: engine[1].maxslots: unknown key; did you mean engine[1].max_slots?",
        ),
        (
            "[[engine]]\nurl = 'http://a'\nmax_slots = 0",
            "3: engine[1].max_slots: 0 is below 1; set",
        ),
        (
            "[[engine]]\nurl = 'http://a'\nmax_slots = '9'",
            "3: engine[1].max_slots: needs a whole number, not text; write max_slots = 256",
        ),
        (
            "[[engine]]\nurl = 'http://a'\nname = ' '",
            "3: engine[1].name: must be up to 64 printable",
        ),
        ("[[engine]]\nurl = 'http://a'\n[engine.x]\ny = 1", "3: engine[1].x: unknown key; remove"),
        (f"[[engine]]\nurl = 'http://a'\ntoken = '{SECRET}'", "3: engine[1].token: a secret does"),
        (
            "[[engine]]\nurl = 'http://a'\ntoken_env = 'K_K'",
            "3: engine[1].token_env: the token would travel unencrypted to another machine",
        ),
        (
            "[[engine]]\nurl = 'https://a'\ntoken_env = 'NO_K'",
            "3: engine[1].token_env: the variable it names (NO_K) is not set",
        ),
        (
            "[[engine]]\nurl = 'http://a/'\n[[engine]]\nurl = 'http://a'",
            "4: engine[2].url: the URL "
            "http://a is engine[1]'s already; change it, or remove one of the two",
        ),
        (
            "engine = [{url = 'http://a', name = 'x'}, {url = 'http://b', name = 'x'}]",
            "1: engine[2].name: the name x is engine[1]'s already",
        ),
        (
            "discovery.hosts = '127.0.0.1'",
            "1: discovery.hosts: needs a list of texts, not text; write "
            'hosts = ["127.0.0.1", "gpu-box"]',
        ),
        ("discovery.hosts = ['10.0.0.0/8']", '1: discovery.hosts: "10.0.0.0/8" is no host name or'),
        ("discovery.hosts = ['a:80']", '1: discovery.hosts: "a:80" is no host name or'),
        ("discovery.ports = [0]", "1: discovery.ports: holds a number that is no port; write"),
        ("discovery.ports = [true]", "1: discovery.ports: needs a list of port numbers"),
        (
            "discovery.exclude = 8000",
            "1: discovery.exclude: needs a list of port numbers, not a whole",
        ),
        (
            f"discovery.ports = {list(range(1, 102))}",
            "1: discovery.ports: names 101, and at most 100",
        ),
        ("prometheus.url = 'http://a?x=1'", "1: prometheus.url: holds a query or fragment; take"),
        (
            "prometheus.group_by = 'a-b'",
            "1: prometheus.group_by: must be the name of a label; write",
        ),
        (
            "prometheus.url = 'http://a'\nprometheus.ca_bundle = 'x'",
            "2: prometheus.ca_bundle: cannot "
            "be read (No such file or directory); correct the path, or remove it to use the system",
        ),
        (
            "prometheus.url = 'http://a'\nprometheus.token_env = 'K_K'",
            "2: prometheus.token_env: the token would travel unencrypted",
        ),
        (f"prometheus.token = '{SECRET}'", "1: prometheus.token: a secret does not belong"),
        (
            "cost.months = 3",
            "1: cost.months: means nothing without cost.purchase_usd; set that too",
        ),
        ("cost.purchase_usd = 3", "1: cost.purchase_usd: means nothing without cost.months; set"),
        (
            "cost.reference_name = 'x'",
            "1: cost.reference_name: means nothing without cost.reference_",
        ),
        ("cost.usd_per_gpu_hour = -1", "1: cost.usd_per_gpu_hour: -1 is below 0.0; set it to at"),
        (
            "cost.usd_per_gpu_hour = nan",
            "1: cost.usd_per_gpu_hour: must be finite; write usd_per_gpu_hour = 2.5",
        ),
        (
            "cost.usd_per_gpu_hour = 1\ncost.usd_per_kwh = 1",
            "2: cost.usd_per_kwh: is for owned GPUs, "
            "and usd_per_gpu_hour says they are rented; keep one of the two",
        ),
    ],
)
def test_mistakes(tmp_path: Path, text: str, said: str) -> None:
    """Each is one sentence at its own line, with the mend."""
    (found,) = refused(tmp_path, text, K_K=SECRET)
    assert found.startswith(f"config.toml:{said}")


def calls(home: Path, count: int) -> int:
    """How many calls it takes to load so many engines."""
    text = "".join(f'[[engine]]\nurl = "http://10.0.0.1:{9000 + at}"\n' for at in range(count))
    made = 0

    def count_one(_frame: object, event: str, _argument: object) -> None:
        nonlocal made
        made += event == "call"

    sys.setprofile(count_one)
    try:
        assert len(read(home, text).engines) == count
    finally:
        sys.setprofile(None)
    return made


def test_hundreds_of_engines_load_in_linear_time(tmp_path: Path) -> None:
    """Another hundred costs as much as the hundred before: 1,000 took 13 s."""
    _, first, second, third = (calls(tmp_path, count) for count in (1, 100, 200, 300))
    assert third - second < 1.1 * (second - first)


def attempt(home: Path, text: str) -> Config | ConfigError:
    try:
        return read(home, text)
    except ConfigError as error:
        return error


tables = st.dictionaries(
    st.one_of(st.sampled_from(sorted(engine())), st.text("abz_.-", max_size=4)),
    st.one_of(st.text(max_size=9), st.integers(), st.booleans(), st.just("https://a"), st.just("")),
    max_size=4,
)


@settings(max_examples=60)
@given(blocks=st.lists(tables, max_size=4))
def test_any_blocks_load_or_are_refused_at_their_lines(
    tmp_path_factory: pytest.TempPathFactory, blocks: list[dict[str, object]]
) -> None:
    """Whatever stands in [[engine]] blocks is an engine each, or a printable problem in a block."""
    lines: list[str] = []
    for block in blocks:
        lines += ["[[engine]]", *(f"{toml(k)} = {toml(v)}" for k, v in block.items())]
    found = attempt(tmp_path_factory.mktemp("blocks", numbered=True), "\n".join(lines))
    if isinstance(found, Config):
        assert len(found.engines) == len(blocks)
        return
    assert str(found).replace("\n", "").isprintable()
    for problem in found.problems:
        number = int(problem.key.partition("[")[2].partition("]")[0])
        assert problem.line is not None
        assert lines[: problem.line].count("[[engine]]") == number
