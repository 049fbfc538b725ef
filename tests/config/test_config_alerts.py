"""[[alert]] in the configuration: what it means, and the place and mend of each mistake."""

from pathlib import Path

import pytest

from tests.config.test_config_engines import read, refused
from tokentop.config import show
from tokentop.config.load import load
from tokentop.config.schema import AlertConfig

WHEN = 'when = "demand.utilization > 0.8 for 60s"'
BUSY = f'[[alert]]\nname = "busy"\n{WHEN}\n'


def test_an_alert_with_everything(tmp_path: Path) -> None:
    text = (
        '[alerts]\nwebhook = "https://ntfy.example/gpus"\ntemplate = "ntfy"\n\n'
        f'{BUSY}until = "demand.utilization < 0.7"\ncooldown_s = 60\nseverity = "critical"\n'
        'text = "The box is busy"\nactions = ["bell", "webhook"]\nsilenced = true\n'
    )
    config = read(tmp_path, text)
    assert config.alerts.rows == (
        AlertConfig(
            "busy", "demand.utilization > 0.8 for 60s", "demand.utilization < 0.7", 60.0,
            "critical", "The box is busy", ("bell", "webhook"), True,
        ),
    )  # fmt: skip
    assert config.alerts.webhook is not None
    assert config.alerts.webhook.reveal() == "https://ntfy.example/gpus"
    again = tmp_path / "again.toml"
    shown = show.effective(config)
    again.write_text(shown[shown.index("[[alert]]") :].replace('["bell", "webhook"]', '["bell"]'))
    assert load({}, {}, str(again)).alerts.rows[0]._replace(actions=()) == (
        config.alerts.rows[0]._replace(actions=())
    )


def test_a_webhook_that_is_a_secret(tmp_path: Path) -> None:
    """It is read from a variable or a file, and never shown."""
    (tmp_path / "url").write_text("https://hooks.example/services/T0/B0/hush\n")
    (tmp_path / "url").chmod(0o600)
    text = f'[alerts]\nwebhook_file = "url"\n{BUSY}actions = ["webhook"]\n'
    config = read(tmp_path, text)
    assert config.alerts.webhook is not None
    assert config.alerts.webhook.reveal().endswith("/hush")
    assert "hush" not in show.effective(config) + repr(config)
    config = read(tmp_path, '[alerts]\nwebhook_env = "HOOK"', HOOK="https://hooks.example/hush")
    assert config.alerts.webhook is not None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"[[alert]]\n{WHEN}", ':1: alert[1].name: is missing; write name = "busy"'),
        ('[[alert]]\nname = "x"', ":1: alert[1].when: is missing; write when ="),
        (f"{BUSY}{BUSY}", ":5: alert[2].name: the name busy is alert[1]'s already"),
        (
            '[[alert]]\nname = "x"\nwhen = "demand.utilisation > 1"',
            ":3: alert[1].when: 'demand.utilisation' is no key of the snapshot; "
            "did you mean demand.utilization?",
        ),
        (f'{BUSY}until = "llm.queued"', ":4: alert[1].until: ends too early; write it like"),
        (f'{BUSY}actions = ["webhook"]', ":4: alert[1].actions: webhook leads nowhere; set"),
        (f'{BUSY}actions = ["command"]', ":4: alert[1].actions: command leads nowhere; set"),
        (
            f'{BUSY}actions = ["bel"]',
            ':4: alert[1].actions: "bel" is not known; did you mean bell?',
        ),
        (f"{BUSY}cooldown = 3", ":4: alert[1].cooldown: unknown key; did you mean alert[1].cool"),
        (f'{BUSY}severity = "bad"', ':4: alert[1].severity: "bad" is not known; choose from'),
        ("alert = 3", ":1: alert: needs two brackets, once for each alert; write [[alert]]"),
        ('[alerts]\ncommand = "reboot now"', ":2: alerts.command: needs a list of texts"),
        (
            '[alerts]\nwebhook_env = "HOOK"',
            ":2: alerts.webhook_env: the variable it names is not set",
        ),
        (
            '[alerts]\nwebhook = "http://a.b/x"\ntoken_env = "TOK"',
            ":3: alerts.token_env: the token would travel unencrypted",
        ),
        (
            '[alerts]\nwebhook = "https://a.b/x"\nwebhook_env = "TOK"',
            ":3: alerts.webhook_env: stands beside webhook; keep one of the two",
        ),
        ('[alerts]\nwebhook_env = "TOK"', ":2: alerts.webhook_env: what it names does not start"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, problem: str) -> None:
    """One problem each, with its line; never the value of a secret."""
    (found,) = refused(tmp_path, text, TOK="hushhushhush")
    assert problem in found
    assert "hush" not in found
