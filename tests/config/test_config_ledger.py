"""[ledger]: which database, and a password that stands in no sentence and no file of ours."""

from pathlib import Path

import pytest

from tests.config.test_config_services import SECRET, read, refused
from tokentop.config.schema import secrets
from tokentop.config.show import effective
from tokentop.secret import Secret

URL = "postgresql://ada@db.example/ledger?sslmode=verify-full"


def test_a_password_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    kept = tmp_path / "password"
    kept.write_text(SECRET + "\n")
    kept.chmod(0o600)
    by_env = read(tmp_path, f'[ledger]\nurl = "{URL}"\npassword_env = "PW"', PW=SECRET)
    by_file = read(tmp_path, f'[ledger]\nurl = "{URL}"\npassword_file = "password"')
    for config in (by_env, by_file):
        assert (config.ledger.url, config.ledger.password) == (URL, Secret(SECRET))
        assert Secret(SECRET) in secrets(config)
        assert SECRET not in f"{config!r}{effective(config)}"


def test_the_webhook_of_checkpoints_may_be_a_secret(tmp_path: Path) -> None:
    url = f"https://hooks.example/{SECRET}"
    plain = read(tmp_path, f'[ledger]\nwebhook = "{url}"')
    held = read(tmp_path, '[ledger]\nwebhook_env = "HOOK"', HOOK=url)
    for config in (plain, held):
        assert config.ledger.webhook == Secret(url)
        assert Secret(url) in secrets(config)
    said = refused(tmp_path, '[ledger]\nwebhook_env = "HOOK"', HOOK=f"ftp://{SECRET}")
    assert said.startswith("config.toml:2: ledger.webhook_env: what it names does not start with")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'url = "postgresql://ada:{SECRET}@db/l"', "2: ledger.url: holds a password; take it out"),
        (f'url = "postgres://:{SECRET}@db/l"', "2: ledger.url: holds a password; take it out"),
        (f'url = "postgresql://ada@db:5432@{SECRET}/l"', "2: ledger.url: holds a password"),
        (f'url = "postgresql://db/l?password={SECRET}"', "2: ledger.url: holds a password"),
        (f'url = "postgresql://db/l?a=b&sslpassword={SECRET}"', "2: ledger.url: holds a password"),
        (f'url = "postgresql://a@b@{SECRET}/l"', "2: ledger.url: is no URL of PostgreSQL; write"),
        (f'url = "mysql://{SECRET}"', "2: ledger.url: is no URL of PostgreSQL; write it like"),
        (f'url = "postgresql://db/l {SECRET}"', "2: ledger.url: is no URL of PostgreSQL"),
        (f'url = "{URL}"\npath = "/l.db"', "2: ledger.url: stands beside path; keep one"),
        (f'url = "{URL}"\npassword_env = "{SECRET}"', "3: ledger.password_env: must be the name"),
        (f'url = "{URL}"\npassword_env = "NO_PW"', "3: ledger.password_env: the variable"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_sentence_without_it(
    tmp_path: Path, text: str, said: str
) -> None:
    found = refused(tmp_path, f"[ledger]\n{text}")
    assert found.startswith(f"config.toml:{said}")
    assert len(found.splitlines()) == 1
