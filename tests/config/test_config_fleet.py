"""What the GPUs cost, the fleet's server, and the flags of both."""

from pathlib import Path

import pytest

from tests.config.test_config_engines import SECRET, read, refused
from tokentop.arguments.parse import parse
from tokentop.config import show
from tokentop.config.load import load
from tokentop.config.schema import PrometheusConfig
from tokentop.domain.policy import CostPolicy


def test_rented_and_owned_together_are_reported_at_every_key(tmp_path: Path) -> None:
    """All of what must go is named at once, and nothing else about it."""
    text = "[cost]\nusd_per_gpu_hour = 1\npurchase_usd = 3\nmonths = 3\nusd_per_kwh = 1"
    assert [line.split(": ")[:2] for line in refused(tmp_path, text)] == [
        ["config.toml:3", "cost.purchase_usd"],
        ["config.toml:4", "cost.months"],
        ["config.toml:5", "cost.usd_per_kwh"],
    ]


def test_a_wrong_half_is_reported_once(tmp_path: Path) -> None:
    """A price that is no number is not called missing as well."""
    (said,) = refused(tmp_path, "[cost]\npurchase_usd = 'x'\nmonths = 3")
    assert said.startswith("config.toml:2: cost.purchase_usd: needs a number")


def test_costs_of_owned_gpus(tmp_path: Path) -> None:
    """The three keys of owned GPUs and the reference go together."""
    text = "purchase_usd = 3e4\nmonths = 36\nusd_per_kwh = 0.3\nreference_name = 'X'\n"
    found = read(tmp_path, f"[cost]\n{text}reference_usd_per_mtok = 0.6").policy.cost
    assert found == CostPolicy(None, 30000.0, 36.0, 0.3, "X", 0.6)


def test_nothing_costs_anything_by_default() -> None:
    """Without [cost] there is no price to invent a figure from."""
    cost = load({}, {"HOME": "/nowhere"}, None).policy.cost
    assert set(cost._replace(silent_burn_at=0)) == {None, 0}


def test_prometheus_with_its_own_bundle_and_token(tmp_path: Path) -> None:
    """The bundle is found beside the file; the token is shown as stars; a prefix is kept."""
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    text = "url='https://a/prom/'\ntoken_env='K_K'\nca_bundle='ca.pem'\ngroup_by='node'"
    config = read(tmp_path, f"[prometheus]\n{text}", K_K=SECRET)
    token = config.prometheus.token
    assert token is not None
    assert config.prometheus == PrometheusConfig(
        "https://a/prom", token, f"{tmp_path}/ca.pem", "node", True
    )
    shown = show.effective(config)
    assert SECRET not in shown
    assert "prometheus.token = ***" in shown


@pytest.mark.parametrize(
    ("flag", "sent"),
    [
        ("https://a:443/other", True),
        ("https://A", True),
        ("https://a.evil.example", False),
        ("https://a:8443", False),
        ("http://a", False),
        ("http://localhost:9090", False),
    ],
)
def test_a_flags_server_gets_no_token_meant_for_the_files(
    tmp_path: Path, flag: str, sent: bool
) -> None:
    """A token in the file belongs to the server named beside it."""
    text = "[prometheus]\nurl = 'https://a'\ntoken_env = 'K_K'"
    config = read(tmp_path, text, {"prometheus.url": flag}, K_K=SECRET)
    assert (config.prometheus.token is not None) is sent


def test_a_token_without_a_server_of_its_own_is_for_the_flags(tmp_path: Path) -> None:
    """Where the file names no server, its token is for whichever is asked; else it is not read."""
    text = "[prometheus]\ntoken_env = 'K_K'"
    flags: dict[str, object] = {"prometheus.url": "https://b"}
    assert read(tmp_path, text, flags, K_K=SECRET).prometheus.token is not None
    assert read(tmp_path, text).prometheus == PrometheusConfig()


def test_the_flags(tmp_path: Path) -> None:
    """--no-discovery and --prometheus reach the configuration."""
    given = parse(["--no-discovery", "--prometheus", "http://localhost:9090"])
    config = load(given.overrides, {"HOME": str(tmp_path)}, None)
    assert not config.discovery.enabled
    assert config.prometheus.url == "http://localhost:9090"
    assert load(parse([]).overrides, {"HOME": str(tmp_path)}, None).discovery.enabled
