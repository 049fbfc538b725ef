"""What the demo takes from the user's configuration, and what it brings itself."""

from pathlib import Path

import pytest

from tokentop.arguments.parse import parse
from tokentop.config.load import ConfigError, load
from tokentop.config.schema import Config

MINE = """\
[[engine]]
url = "http://10.0.0.7:8000"
[prometheus]
url = "http://10.0.0.8:9090"
[tiers]
surge = 0.7
"""
RENTED = "[cost]\nusd_per_gpu_hour = 9.5\n"


def loaded(folder: Path, text: str, *words: str) -> Config:
    file = folder / "config.toml"
    file.write_text(text)
    return load(parse(["--config", str(file), *words]).overrides, {}, str(file))


@pytest.mark.parametrize("part", ["whole", "stack", "engines", "fleet", "gpus"])
def test_each_part_is_played_by_its_name(part: str, tmp_path: Path) -> None:
    """--demo=PART; --demo alone, and --demo-at alone, mean the whole."""
    assert loaded(tmp_path, "", f"--demo={part}").demo == (True, 0, None, part)
    assert loaded(tmp_path, "", "--demo").demo.part == "whole"
    assert loaded(tmp_path, "", "--demo-at", "5").demo == (True, 0, 5.0, "whole")


def test_a_command_may_follow(tmp_path: Path) -> None:
    """`tokentop --demo doctor` is the doctor's demo, not a part called doctor."""
    given = parse(["--demo", "doctor"])
    assert (given.view, given.overrides["demo.part"]) == ("doctor", "whole")


def test_a_wrong_part_is_refused_with_the_right_ones(tmp_path: Path) -> None:
    """The sentence lists them."""
    with pytest.raises(ConfigError, match="stack"):
        loaded(tmp_path, "", "--demo=nope")


@pytest.mark.parametrize("part", ["whole", "engines", "fleet"])
def test_nothing_real_is_polled(part: str, tmp_path: Path) -> None:
    """The user's engines and Prometheus server are left alone; thresholds stay."""
    config = loaded(tmp_path, MINE, f"--demo={part}")
    assert config.engines == ()
    assert config.prometheus.url in (None, "http://prometheus:9090")
    assert config.policy.tiers.surge == 0.7


def test_costs_are_set_unless_the_user_has_some(tmp_path: Path) -> None:
    """A price for a GPU and one to compare with; the user's own price stays alone."""
    cost = loaded(tmp_path, "", "--demo").policy.cost
    assert (cost.usd_per_gpu_hour, cost.reference_usd_per_mtok) == (2.2, 2.4)
    own = loaded(tmp_path, RENTED, "--demo").policy.cost
    assert (own.usd_per_gpu_hour, own.reference_usd_per_mtok) == (9.5, None)
    assert loaded(tmp_path, "", "--demo=stack").policy.cost.usd_per_gpu_hour is None


def test_without_the_demo_nothing_changes(tmp_path: Path) -> None:
    """Engines, server and costs are the user's."""
    config = loaded(tmp_path, MINE)
    assert len(config.engines) == 1
    assert config.prometheus.url == "http://10.0.0.8:9090"
    assert config.policy.cost.usd_per_gpu_hour is None
