"""What each layer may set, which one wins, and the message of each mistake."""

from pathlib import Path

import pytest

from tokentop.config.keys import table
from tokentop.config.load import ConfigError, load
from tokentop.config.policy_keys import CONSTRAINTS
from tokentop.config.schema import Config
from tokentop.domain.policy import Policy


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return str(path)


def problems(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    """Load a file that must be refused; return its sentences without the folder."""
    with pytest.raises(ConfigError) as caught:
        load({}, {"HOME": str(tmp_path), **(environ or {})}, written(tmp_path, text))
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def test_nothing_given_is_the_default(tmp_path: Path) -> None:
    """Without file, environment and flags the result is the schema's own defaults."""
    config = load({}, {"HOME": str(tmp_path)}, None)
    assert config._replace(services=(), origins=()) == Config()
    assert config.policy == Policy()
    assert {origin for _, origin in config.origins} == {"default"}


CHANGED = {
    "interval": ("9", "interval_s", 9.0),
    "timeout": ("1", "timeout_s", 1.0),
    "deadline": ("2.0", "deadline_s", 2.0),
    "max_bytes": ("4096", "max_bytes", 4096),
    "gpus.enabled": ("false", "gpus", False),
    "ui.theme": ('"light"', "ui.theme", "light"),
    "ui.ascii": ("true", "ui.ascii", True),
    "ui.state": ("false", "ui.state", False),
    "ui.hide": ('["cloud", "gpus", "cloud"]', "ui.hide", ("cloud", "gpus")),
    "pricing.floor": ("0.5", "policy.pricing.floor", 0.5),
    "pricing.ceiling": ("9", "policy.pricing.ceiling", 9.0),
    "pricing.steepness": ("4", "policy.pricing.steepness", 4.0),
    "pricing.midpoint": ("0.5", "policy.pricing.midpoint", 0.5),
    "pricing.everything_free": ("false", "policy.pricing.everything_free", False),
    "pricing.base_cost_tokens": ("11", "policy.pricing.base_cost_tokens", 11.0),
    "pricing.tokens_per_usd": ("6000", "policy.pricing.tokens_per_usd", 6000.0),
    "pricing.gpu_tokens_per_hour": ("5000", "policy.pricing.gpu_tokens_per_hour", 5000.0),
    "pressure.profile": ('"vram"', "policy.profile", "vram"),
    "detector.threshold": ("4", "policy.detector.threshold", 4.0),
    "detector.idle_s": ("600", "policy.detector.idle_s", 600.0),
    "detector.machine_credits_per_hour": (
        "36000",
        "policy.detector.machine_credits_per_hour",
        36000.0,
    ),
    "replenishment.window_days": ("7", "policy.replenishment.window_days", 7),
    "replenishment.above": ("0.2", "policy.replenishment.above", 0.2),
    "replenishment.below": ("0.02", "policy.replenishment.below", 0.02),
    "replenishment.at": ("0.9", "policy.replenishment.at", 0.9),
    "replenishment.share": ("0.5", "policy.replenishment.share", 0.5),
    "tiers.low": ("0.2", "policy.tiers.low", 0.2),
    "tiers.moderate": ("0.45", "policy.tiers.moderate", 0.45),
    "tiers.high": ("0.65", "policy.tiers.high", 0.65),
    "tiers.surge": ("0.85", "policy.tiers.surge", 0.85),
    "tiers.saturated": ("0.9", "policy.tiers.saturated", 0.9),
    "capacity.scale_up_at": ("0.9", "policy.capacity.scale_up_at", 0.9),
    "capacity.scale_down_below": ("0.3", "policy.capacity.scale_down_below", 0.3),
    "health.starting_grace_s": ("1200", "policy.health.starting_grace_s", 1200.0),
    "capacity.vram_gb": ("48", "policy.capacity.vram_gb", 48.0),
    "offers.vast.url": ('"https://a/v/"', "offers.vast.url", "https://a/v"),
    "offers.runpod.url": ('"https://a/r"', "offers.runpod.url", "https://a/r"),
    "offers.lambda.url": ('"https://a/l"', "offers.lambda_cloud.url", "https://a/l"),
    "capacity.scale_down_after_s": ("60", "policy.capacity.scale_down_after_s", 60.0),
    "discovery.enabled": ("false", "discovery.enabled", False),
    "discovery.hosts": ('["::1", "a", "a"]', "discovery.hosts", ("[::1]", "a")),
    "discovery.ports": ("[9000, 1]", "discovery.ports", (9000, 1)),
    "discovery.exclude": ("[8080]", "discovery.exclude", (8080,)),
    "prometheus.url": ('"http://a:9/p/"', "prometheus.url", "http://a:9/p"),
    "prometheus.verify": ("false", "prometheus.verify", False),
    "prometheus.group_by": ('"node"', "prometheus.group_by", "node"),
    "ledger.path": ('"/l/x.db"', "ledger.path", "/l/x.db"),
    "ledger.url": (
        '"postgresql://ada@[::1]:5433/l"',
        "ledger.url",
        "postgresql://ada@[::1]:5433/l",
    ),
    "ledger.checkpoint_hours": ("6", "ledger.checkpoint_hours", 6.0),
    "ledger.checkpoint_file": ('"/l/kept"', "ledger.checkpoint_file", "/l/kept"),
    "ledger.archive": ('"/l/old"', "ledger.archive", "/l/old"),
    "ledger.writer": ('"gpu-box"', "ledger.writer", "gpu-box"),
    "ledger.valuation": ('"/l/v.toml"', "ledger.valuation", "/l/v.toml"),
    "ledger.prices": ('"live"', "ledger.prices", "live"),
    "ledger.key_file": ('"/l/k"', "ledger.key_file", "/l/k"),
    "ledger.time_zone": ('"Asia/Kolkata"', "ledger.time_zone", "Asia/Kolkata"),
    "authorize.user": ('["x-me"]', "authorize.user", ("x-me",)),
    "authorize.project": ('["x-p", "x-q"]', "authorize.project", ("x-p", "x-q")),
    "authorize.team": ('["x-t"]', "authorize.team", ("x-t",)),
    "authorize.status": ("402", "authorize.status", 402),
    "authorize.retry_after": ("true", "authorize.retry_after", True),
    "authorize.failure_mode": ('"closed"', "authorize.failure_mode", "closed"),
    "ledger.intake": ("true", "ledger.intake", True),
    "ledger.token_env": ('"SENDERS"', "ledger.token_env", "SENDERS"),
    "ledger.mapping.user": ('["Acme.user"]', "ledger.mapping.user", ("acme.user",)),
    "ledger.mapping.project": ('["a", "b"]', "ledger.mapping.project", ("a", "b")),
    "ledger.mapping.team": ('["a"]', "ledger.mapping.team", ("a",)),
    "ledger.mapping.task": ('["a"]', "ledger.mapping.task", ("a",)),
    "ledger.mapping.session": ('["a"]', "ledger.mapping.session", ("a",)),
    "cost.usd_per_gpu_hour": ("2", "policy.cost.usd_per_gpu_hour", 2.0),
    "cost.usd_per_kwh": ("0.3", "policy.cost.usd_per_kwh", 0.3),
    "cost.reference_usd_per_mtok": ("0.6", "policy.cost.reference_usd_per_mtok", 0.6),
    "cost.gpus": ("8", "policy.cost.gpus", 8),
    "cost.silent_burn_at": ("0.5", "policy.cost.silent_burn_at", 0.5),
    "cost.burn_counts_length": ("true", "policy.cost.burn_counts_length", True),
    "alerts.enabled": ("false", "alerts.enabled", False),
    "alerts.defaults": ("false", "alerts.defaults", False),
    "alerts.template": ('"slack"', "alerts.template", "slack"),
    "alerts.command": ('["say", "it"]', "alerts.command", ("say", "it")),
    "history.enabled": ("false", "history.enabled", False),
    "history.max_mb": ("8", "history.max_mb", 8.0),
    "serve.host": ('"[::1]"', "serve.host", "::1"),
    "serve.port": ("9000", "serve.port", 9000),
    "serve.token_env": ('"MINE"', "serve.token_env", "MINE"),
    "serve.insecure_no_auth": ("true", "serve.insecure_no_auth", True),
    "serve.web": ("true", "serve.web", True),
    "serve.allowed_hosts": ('["gpu-box"]', "serve.allowed_hosts", ("gpu-box",)),
    "recording.file": ('"/night.rec"', "recording.file", "/night.rec"),
    "recording.rotate_mb": ("5", "recording.rotate_mb", 5.0),
    "recording.rotate_hours": ("1", "recording.rotate_hours", 1.0),
    "recording.keep": ("3", "recording.keep", 3),
    "serve.cors_origins": ('["https://A.b:1"]', "serve.cors_origins", ("https://a.b:1",)),
    "tls.verify": ("false", "tls.verify", False),
    "tls.allow_insecure_token": ("true", "tls.allow_insecure_token", True),
}


ELSEWHERE = {  # keys that mean something only beside others
    "tls.ca_bundle", "prometheus.token_env", "prometheus.token_file", "prometheus.ca_bundle",
    "cost.purchase_usd", "cost.months", "cost.reference_name", "serve.token_file",
    "alerts.webhook", "alerts.webhook_env", "alerts.webhook_file", "alerts.token_env",
    "alerts.token_file", "ledger.password_env", "ledger.password_file", "ledger.webhook",
    "ledger.webhook_env", "ledger.webhook_file", "ledger.token_file", "offers.vast.token_env",
    "offers.vast.token_file", "offers.runpod.token_env", "offers.runpod.token_file",
    "offers.lambda.token_env", "offers.lambda.token_file",
}  # fmt: skip


@pytest.mark.parametrize("name", [n for n, k in table().items() if k.in_file])
def test_every_key_of_the_table_is_tried(name: str) -> None:
    """A new key cannot be added without a case that loads it."""
    assert name in CHANGED or name.startswith("services.") or name in ELSEWHERE


@pytest.mark.parametrize("name", CHANGED)
def test_file_sets_each_key(tmp_path: Path, name: str) -> None:
    """Each key of the file lands in its own place and its origin names file and line."""
    text, slot, expected = CHANGED[name]
    path = written(tmp_path, f"\n{name} = {text}\n")
    config = load({}, {"HOME": str(tmp_path)}, path)
    found: object = config
    for field in slot.split("."):
        found = getattr(found, field)
    assert found == expected
    assert type(found) is type(expected)
    assert dict(config.origins)[name] == f"file {path}:2"
    assert config.file == path


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    """Precedence, and the origin of each winner."""
    environ = {"HOME": str(tmp_path)}
    path = written(tmp_path, "interval = 7")
    seen = []
    for flags, variable in (({}, ""), ({}, "8"), ({"interval_s": 9.0}, "8"), ({}, "")):
        config = load(flags, {**environ, "TOKENTOP_INTERVAL": variable}, path)
        seen.append((config.interval_s, dict(config.origins)["interval"]))
    assert seen == [
        (7.0, f"file {path}:1"),
        (8.0, "environment TOKENTOP_INTERVAL"),
        (9.0, "flag --interval"),
        (7.0, f"file {path}:1"),
    ]


def test_flags_are_named_by_config_or_by_keys() -> None:
    """Flags may come typed or as text, by place in Config or by key; None was not given."""
    typed = load(
        {"gpus": False, "ui.ascii": None, "demo.enabled": True, "demo.seed": 3, "demo.at_s": 1.5},
        {"HOME": "/nowhere"},
        None,
    )
    text = load({"gpus.enabled": "no", "ui.hide": "cloud, gpus"}, {"HOME": "/nowhere"}, None)
    assert (typed.gpus, typed.ui.ascii, tuple(typed.demo)) == (
        False,
        False,
        (True, 3, 1.5, "whole"),
    )
    assert (text.gpus, text.ui.hide) == (False, ("cloud", "gpus"))
    assert dict(typed.origins)["gpus.enabled"] == "flag --no-gpus"


MISTAKES = [
    (
        '[serve]\nhost = "http://x"',
        'config.toml:2: serve.host: "http://x" is no host name or address; '
        'write host = "127.0.0.1" (the port goes to port)',
    ),
    (
        '[serve]\ncors_origins = ["https://a/b"]',
        "config.toml:2: serve.cors_origins: names what is no origin; "
        'write cors_origins = ["https://dash.example"]',
    ),
    (
        '[serve]\ntoken_env = "A"\ntoken_file = "b"',
        "config.toml:3: serve.token_file: stands beside token_env; keep one of the two",
    ),
    ("interval = 0.1", "config.toml:1: interval: 0.1 is below 0.5; set it to at least 0.5"),
    ("interval = 1e9", "config.toml:1: interval: 1e+09 is above 3600.0; set it to at most 3600.0"),
    ("interval = nan", "config.toml:1: interval: must be finite; write interval = 4.0"),
    ("timeout = inf", "config.toml:1: timeout: must be finite; write timeout = 2.5"),
    (
        'interval = "4"',
        "config.toml:1: interval: needs a number, not text; write interval = 4.0",
    ),
    (
        "interval = true",
        "config.toml:1: interval: needs a number, not true or false; write interval = 4.0",
    ),
    (
        "max_bytes = 2.5",
        "config.toml:1: max_bytes: needs a whole number, not a fraction; write max_bytes = 2097152",
    ),
    (
        "[ui]\n\nascii = 1",
        "config.toml:3: ui.ascii: needs true or false, not a whole number; write ascii = false",
    ),
    (
        '[ui]\ntheme = "drak"',
        'config.toml:2: ui.theme: "drak" is not known; did you mean dark? '
        "choose from dark, light, colorblind, ansi",
    ),
    (
        'ui.hide = ["clouds"]',
        'config.toml:1: ui.hide: "clouds" is not known; did you mean cloud? choose from banner, '
        "gpus, slots, multiplier, metrics, capacity, cloud, services, economy",
    ),
    (
        "[ui]\nhide = 2024-01-01",
        "config.toml:2: ui.hide: needs a list of texts, not a date or time; write hide = []",
    ),
    (
        "[pricing]\nceiling = 0.5",
        "config.toml:2: pricing.ceiling: 0.5 is below pricing.floor 1.0; set it to at least 1.0",
    ),
    (
        "[pricing]\nfloor = 7",
        "config.toml:2: pricing.floor: 7.0 is above pricing.ceiling 6.0; set it to at most 6.0",
    ),
    (
        "[tiers]\nlow = 0.4",
        "config.toml:2: tiers.low: 0.4 is not below tiers.moderate 0.4; set it below 0.4",
    ),
    (
        "[tiers]\nhigh = 0.5\nmoderate = 0.5",
        "config.toml:2: tiers.high: 0.5 is not above tiers.moderate 0.5; set it above 0.5",
    ),
    (
        "capacity.scale_down_below = 0.96",
        "config.toml:1: capacity.scale_down_below: 0.96 is not below capacity.scale_up_at 0.95; "
        "set it below 0.95",
    ),
    (
        "[pricing]\nciling = 5",
        "config.toml:2: pricing.ciling: unknown key; did you mean pricing.ceiling?",
    ),
    ("steepness = 5", "config.toml:1: steepness: unknown key; did you mean pricing.steepness?"),
    ("[pricng]\nfloor = 1", "config.toml:1: pricng: unknown key; did you mean pricing?"),
    (
        "zzz = 5",
        "config.toml:1: zzz: unknown key; remove it (`tokentop config --example` lists every key)",
    ),
    (
        "pricing = 5",
        "config.toml:1: pricing: needs a table, not a value; write [pricing] and its keys below",
    ),
    ("demo.seed = 5", "config.toml:1: demo: unknown key; "),
    ('"pricing.floor" = 2', "config.toml:1: 'pricing.floor': unknown key; did you mean "),
    ('"a\\u001b[31m" = 2', "config.toml: 'a\\x1b[31m': unknown key; remove it"),
    (
        "interval = 4\n[ui\n",
        "config.toml:2: not valid TOML: Expected ']' at the end of a table declaration "
        "at column 4; correct it",
    ),
    ("interval = 4\ninterval = 5", "config.toml:2: not valid TOML: Cannot overwrite a value"),
    ("x = [1,", "config.toml:1: not valid TOML: "),
    ("x = " + "9" * 5000, "config.toml: not valid TOML: a number with too many digits; correct"),
    ("x = " + "[" * 5000, "config.toml: is nested too deeply; write plain [section] tables"),
]


@pytest.mark.parametrize(("text", "sentence"), MISTAKES, ids=[text[:30] for text, _ in MISTAKES])
def test_file_mistake(tmp_path: Path, text: str, sentence: str) -> None:
    """A mistake is one sentence that names file, line and key and says the mend."""
    (found,) = problems(tmp_path, text)
    assert found.startswith(sentence)


def test_all_problems_at_once(tmp_path: Path) -> None:
    """Every problem of every layer is reported, the file's from top to bottom."""
    text = "[pricing]\nceiling = 0.5\n[ui]\ntheme = 3\nfoo = 1\n[services.mint]\nurl = 'x'\n"
    found = problems(tmp_path, text, {"TOKENTOP_INTERVAL": "soon", "AITHER_TLS_VERIFY": "maybe"})
    assert [line.split(": ")[:2] for line in found] == [
        ["config.toml:2", "pricing.ceiling"],
        ["config.toml:4", "ui.theme"],
        ["config.toml:5", "ui.foo"],
        ["config.toml:7", "services.mint.url"],
        ["environment variable TOKENTOP_INTERVAL", "interval"],
        ["environment variable AITHER_TLS_VERIFY", "tls.verify"],
    ]


@pytest.mark.parametrize(("lower", "upper"), [pair[:2] for pair in CONSTRAINTS])
def test_bounds_that_meet(tmp_path: Path, lower: str, upper: str) -> None:
    """Only the floor may meet the ceiling; a tier of no width and a dead countdown are refused."""
    default = table()[upper].default
    if lower == "pricing.floor":
        assert load({}, {"HOME": "/nowhere"}, written(tmp_path, f"{lower} = {default}")).file
        return
    (found,) = problems(tmp_path, f"{lower} = {default}")
    assert found.startswith(f"config.toml:1: {lower}: {default} is not below {upper} {default}; ")


def test_a_wrong_value_is_reported_once(tmp_path: Path) -> None:
    """A ceiling that is no number is not compared with the floor as well."""
    assert len(problems(tmp_path, "[pricing]\nceiling = 'x'\nfloor = 7")) == 1


def test_thousands_of_problems_stay_readable(tmp_path: Path) -> None:
    """A file of another kind gives fifty sentences and a count."""
    found = problems(tmp_path, "\n".join(f"k{n} = {n}" for n in range(3000)))
    assert len(found) == 51
    assert found[-1] == "and 2950 more"


@pytest.mark.parametrize(
    ("variable", "text", "sentence"),
    [
        ("TOKENTOP_INTERVAL", "fast", "'fast' is not a number; set it to 4.0"),
        ("TOKENTOP_INTERVAL", "nan", "must be finite; write interval = 4.0"),
        ("TOKENTOP_INTERVAL", "0.4", "0.4 is below 0.5; set it to at least 0.5"),
        ("AITHER_TLS_VERIFY", "x\x1b", "'x\\\\x1b' is neither yes nor no; set it to true or false"),
        ("AITHER_ACTA_URL", "acta:80", "does not start with http:// or https://; write it like"),
    ],
)
def test_environment_mistake(variable: str, text: str, sentence: str) -> None:
    """A problem from the environment names its variable and its key."""
    with pytest.raises(ConfigError) as caught:
        load({}, {"HOME": "/nowhere", variable: text}, None)
    start = f"environment variable {variable}: "
    assert str(caught.value).startswith(start)
    assert sentence in str(caught.value)
    assert caught.value.problems[0].key in table()


def test_flag_mistake() -> None:
    """A problem from a flag names the flag."""
    with pytest.raises(ConfigError) as caught:
        load({"interval_s": 0.1, "ui.theme": "x"}, {"HOME": "/nowhere"}, None)
    assert str(caught.value).splitlines() == [
        "--interval: interval: 0.1 is below 0.5; set it to at least 0.5",
        '--theme: ui.theme: "x" is not known; choose from dark, light, colorblind, ansi',
    ]


@pytest.mark.parametrize(
    ("word", "verify"),
    [("false", False), ("0", False), ("No", False), ("OFF", False), ("true", True), ("", True)],
)
def test_the_stacks_own_tls_switch(word: str, verify: bool) -> None:
    """AITHER_TLS_VERIFY turns verification off with any of its usual words."""
    assert load({}, {"HOME": "/nowhere", "AITHER_TLS_VERIFY": word}, None).tls.verify is verify


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("TOKENTOP_INTERVALL", "did you mean TOKENTOP_INTERVAL?"),
        (
            "TOKENTOP_XYZZY_PLUGH",
            "there are TOKENTOP_CONFIG, TOKENTOP_CONNECT_TOKEN, TOKENTOP_DISCOVERY,",
        ),
    ],
)
def test_a_variable_that_nothing_reads_is_reported(name: str, said: str) -> None:
    """With its name and what was meant; its value, which may be a secret, is not repeated."""
    (warning,) = load({}, {name: "s3cr3t"}, None).warnings
    assert warning.startswith(f"environment variable {name}: nothing reads it; ")
    assert said in warning
    assert "s3cr3t" not in warning


def test_a_variable_that_the_file_names_is_known(tmp_path: Path) -> None:
    """A token may stand in a variable of any name."""
    file = tmp_path / "config.toml"
    file.write_text(
        '[services.genesis]\ntoken_env = "TOKENTOP_GENESIS"\n'
        '[[engine]]\nurl = "http://127.0.0.1:8000"\ntoken_env = "TOKENTOP_VLLM"\n'
    )
    environ = {"TOKENTOP_CONFIG": str(file), "TOKENTOP_GENESIS": "a", "TOKENTOP_VLLM": "b",
               "TOKENTOP_INTERVAL": "8", "OTHER": "c"}  # fmt: skip
    assert load({}, environ, None).warnings == ()
