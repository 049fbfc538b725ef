"""Addresses, CA bundle and tokens: found where the stack puts them, never shown, never in clear."""

import os
import tempfile
import traceback
from pathlib import Path

import pytest
import trustme

from tokentop.config import show
from tokentop.config.load import ConfigError, load
from tokentop.config.schema import Config, ServiceConfig
from tokentop.sources.aither.endpoints import SERVICES

SECRET = "sk-Zq83_hush.hush"
PORTS = {"genesis": 8001, "microscheduler": 8150, "compute": 8168, "accel": 8103,
         "parallel": 8100, "mint": 8136, "acta": 8206}  # fmt: skip


def read(home: Path, text: str = "", **environ: str) -> Config:
    path = home / "config.toml"
    path.write_text(text)
    return load({}, {"HOME": str(home), **environ}, str(path))


def refused(home: Path, text: str = "", **environ: str) -> str:
    """Return what is said, having looked for the secret in everything that could be printed."""
    with pytest.raises(ConfigError) as caught:
        read(home, text, **environ)
    trace = "".join(traceback.format_exception(caught.value))
    for said in (str(caught.value), repr(caught.value), trace):
        assert SECRET not in said
    return str(caught.value).replace(f"{home}/", "")


def service(config: Config, name: str) -> ServiceConfig:
    return next(row for row in config.services if row.name == name)


def bundle(folder: Path, name: str = "aithernet-ca-bundle.pem") -> Path:
    folder.mkdir(exist_ok=True)
    trustme.CA().cert_pem.write_to_path(folder / name)
    return folder / name


def test_default_addresses_without_a_bundle(tmp_path: Path) -> None:
    """Loopback, the published ports, plain HTTP; nothing counts as configured."""
    config = read(tmp_path)
    assert [row.url for row in config.services] == [
        f"http://127.0.0.1:{port}" for port in PORTS.values()
    ]
    assert not any(row.configured for row in config.services)
    assert all(row.enabled for row in config.services)


def test_a_bundle_turns_all_but_genesis_to_https(tmp_path: Path) -> None:
    """The stack's bundle in ~/.aither makes the HTTPS-first services HTTPS."""
    path = bundle(tmp_path / ".aither")
    config = read(tmp_path)
    assert config.tls.ca_bundle == str(path)
    assert {row.url.partition(":")[0] for row in config.services[1:]} == {"https"}
    assert config.services[0].url == "http://127.0.0.1:8001"


def test_order_of_bundles(tmp_path: Path) -> None:
    """AITHER_CA_BUNDLE, else AITHER_HOME's where it exists, else ~/.aither's; then the key."""
    usual = bundle(tmp_path / ".aither")
    at_home, named = bundle(tmp_path / "home"), bundle(tmp_path, "mine.pem")
    home = {"AITHER_HOME": str(at_home.parent)}
    chosen = [
        read(tmp_path),
        read(tmp_path, AITHER_HOME=str(tmp_path / "absent")),
        read(tmp_path, **home),
        read(tmp_path, 'tls.ca_bundle = "mine.pem"', **home),
        read(tmp_path, 'tls.ca_bundle = ""', **home),
        read(tmp_path, 'tls.ca_bundle = "x"', **home, AITHER_CA_BUNDLE="~/mine.pem"),
    ]
    assert [config.tls.ca_bundle for config in chosen] == [
        str(path) for path in (usual, usual, at_home, named, at_home, named)
    ]
    assert [dict(config.origins)["tls.ca_bundle"].split()[0] for config in chosen] == [
        "default", "default", "environment", "file", "environment", "environment",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read (No such file"), ("x", "the file holds no PEM certificate")],
)
def test_a_bundle_that_cannot_serve(tmp_path: Path, content: str | None, said: str) -> None:
    """A named bundle that is missing or no PEM file is refused, not skipped."""
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    found = refused(tmp_path, AITHER_CA_BUNDLE=str(tmp_path / "ca.pem"))
    assert found.startswith(f"environment variable AITHER_CA_BUNDLE: tls.ca_bundle: {said}")


@pytest.mark.parametrize(
    "text",
    [f"token = {SECRET}", f'token = "{SECRET}', f'x = "{SECRET}"\nx = 1', f'"""{SECRET}'],
)
def test_broken_toml_does_not_repeat_its_text(tmp_path: Path, text: str) -> None:
    """A syntax error names the place, never what stands there, nor does its traceback."""
    assert "not valid TOML" in refused(tmp_path, text)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_its_variable(tmp_path: Path, name: str) -> None:
    """The stack's own variable and the one of the service's name override the address."""
    for variable in (SERVICES[name].env, f"AITHER_{name.upper()}_URL"):
        found = service(read(tmp_path, **{variable: "HTTPS://Box.lan:9/base/"}), name)
        assert (found.url, found.configured) == ("https://Box.lan:9/base", True)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://a", "http://a"),
        ("https://a:65535/", "https://a:65535"),
        ("http://[::1]:80/x//", "http://[::1]:80/x"),
        ("http://under_score-1.example.", "http://under_score-1.example."),
    ],
)
def test_urls_that_are_taken_as_they_are(tmp_path: Path, url: str, kept: str) -> None:
    """Scheme, host, port and base path survive; trailing slashes go."""
    assert service(read(tmp_path, AITHER_ACTA_URL=url), "acta").url == kept


@pytest.mark.parametrize(
    "url",
    ["", "box:80", "ftp://box", "file:///etc/passwd", "http://", "http://:80", "http://a:0",
     "http://a:65536", "http://a:x", "http://a b", "http://a/b c", "http://a\n", "http://a/\x1b",
     "http://ä.example", f"http://u:{SECRET}@a", f"http://{SECRET}@a", f"http://a/?key={SECRET}",
     f"http://a?{SECRET}", f"http://a#{SECRET}", f"{SECRET}://a", f"http://a:{SECRET}",
     "http://[::1", "http://-", "http://a:80:80", "//a", "http:///x", "javascript:alert(1)"],
)  # fmt: skip
def test_urls_that_are_refused(tmp_path: Path, url: str) -> None:
    """A URL that is none, or that holds a secret, is a problem that does not repeat it."""
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in url)
    said = refused(tmp_path, f'[services.acta]\nurl = "{text}"')
    assert said.startswith("config.toml:2: services.acta.url: ")
    assert any(mend in said for mend in ("write it like", "take it out"))
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"http://u:{SECRET}@a", "holds a user name or password; take it out and use token_env"),
        (f"https://{SECRET}@a?x", "holds a user name or password; take it out and use token_env"),
        (f"http://a/?key={SECRET}", "holds a query or fragment; take it out"),
        (f"http://a/#{SECRET}", "holds a query or fragment; take it out"),
    ],
)
def test_a_secret_in_a_url_is_refused_with_its_place(tmp_path: Path, url: str, said: str) -> None:
    """Where a URL holds what may be a secret, the sentence says where secrets go."""
    found = refused(tmp_path, AITHER_MINT_URL=url)
    assert found.startswith(f"environment variable AITHER_MINT_URL: services.mint.url: {said}")


@pytest.mark.parametrize("path", ["x", "", "/a b", "/a?k=1", "/a#b", "//evil", "/\x7f", "/ü"])
def test_paths_that_are_refused(tmp_path: Path, path: str) -> None:
    """An endpoint's path is absolute and plain."""
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in path)
    said = refused(tmp_path, f'[services.mint.paths]\nmint_pool = "{text}"')
    assert said.startswith("config.toml:2: services.mint.paths.mint_pool: must be a plain path")


def test_paths_are_kept_by_endpoint(tmp_path: Path) -> None:
    """Only the paths that were set are overrides; an unknown endpoint is named with the nearest."""
    config = read(tmp_path, '[services.mint.paths]\nmint_pool = "/v2/pool"')
    assert service(config, "mint").paths == (("mint_pool", "/v2/pool"),)
    assert service(config, "acta").paths == ()
    said = refused(tmp_path, '[services.mint.paths]\nmint_pol = "/v2/pool"')
    assert "did you mean services.mint.paths.mint_pool?" in said


def test_unknown_service_is_named_with_the_nearest(tmp_path: Path) -> None:
    """A misspelt service is one problem at its section's line."""
    said = refused(tmp_path, '\n[services.genisis]\nurl = "http://a"')
    assert said == ("config.toml:2: services.genisis: unknown key; did you mean services.genesis?")


def test_token_from_a_variable_or_a_file(tmp_path: Path) -> None:
    """Both ways lead to the same secret, stripped; the origin says which."""
    (tmp_path / "token").write_text(f"\n  {SECRET}\n")
    text = (
        '[services.genesis]\ntoken_env = "MINT_TOKEN"\n'
        '[services.mint]\nurl = "https://mint"\ntoken_file = "token"\n'
        '[services.acta]\nurl = "https://acta"\ntoken_file = "~/token"\n'
    )
    config = read(tmp_path, text, MINT_TOKEN=f" {SECRET}\n")
    found = [token.reveal() for row in config.services if (token := row.token) is not None]
    assert found == [SECRET] * 3
    origins = dict(config.origins)
    assert origins["services.genesis.token"] == "environment MINT_TOKEN"
    assert origins["services.mint.token"] == f"file {tmp_path}/token"
    for said in (repr(config), str(config), show.effective(config)):
        assert SECRET not in said
    assert "services.genesis.token = ***" in show.effective(config)


@pytest.mark.parametrize(
    ("mode", "above", "warned"),
    [
        (0o600, 0o755, False),
        (0o644, 0o755, True),
        (0o644, 0o700, False),
        (0o644, 0o710, True),
        (0o640, 0o755, True),
        (0o640, 0o710, True),
        (0o640, 0o700, False),
        (0o604, 0o710, False),
    ],
)
def test_a_token_that_others_can_read_is_warned_about(
    tmp_path: Path, mode: int, above: int, warned: bool
) -> None:
    """It is used all the same; a folder that others cannot enter protects it too.

    The group is others as well, as it is for ssh.
    """
    with tempfile.TemporaryDirectory(dir="/tmp") as shared:  # pytest's own folder is closed
        folder, token = Path(shared), Path(shared) / "token"
        token.write_text(SECRET)
        token.chmod(mode)
        folder.chmod(above)
        config = read(tmp_path, f'[services.genesis]\ntoken_file = "{token}"\n')
    said = "services.genesis.token_file: other users of this machine can read the token; chmod 600"
    assert len(config.warnings) == warned
    assert all(f"config.toml:2: {said}" in warning for warning in config.warnings)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_a_token_that_another_user_shares_with_our_group(tmp_path: Path) -> None:
    """The way to hand a service its token: nothing to warn about, and nothing it could change."""
    with tempfile.TemporaryDirectory(dir="/tmp") as shared:
        token = Path(shared) / "token"
        token.write_text(SECRET)
        token.chmod(0o640)
        os.chown(token, 65534, -1)
        Path(shared).chmod(0o755)
        config = read(tmp_path, f'[services.genesis]\ntoken_file = "{token}"\n')
    assert not config.warnings


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (f'token = "{SECRET}"', "token: a secret does not belong in this file; name the variable"),
        (f'API_KEY = "{SECRET}"', "API_KEY: a secret does not belong"),
        (f'token_env = "{SECRET}"', "token_env: must be the name of an environment variable"),
        (f'token_env = ["{SECRET}"]', "token_env: needs text, not this list"),
        ('token_env = "MY_TOKEN"', "token_env: the variable it names (MY_TOKEN) is not set"),
        ('token_env = "hf_abcDEF"', "token_env: the variable it names is not set; export it"),
        ('token_env = "TWO_WORDS"', "token_env: the variable it names holds more than one"),
        (f'token_file = "{SECRET}"', "token_file: the file it names cannot be read (No such"),
        ('token_file = "a\\u0000b"', "token_file: holds a NUL character; write"),
        ('token_file = "empty"', "token_file: the file it names is empty; write the token"),
        ('token_file = "words"', "token_file: the file it names holds more than one"),
        ('token_file = "bytes"', "token_file: the file it names holds more than one"),
        ('token_file = "."', "token_file: the file it names cannot be read (Is a directory"),
        ('token_env = "GOOD_TOKEN"\ntoken_file = "empty"', "token_file: stands beside token_env"),
    ],
)
def test_tokens_that_cannot_serve(tmp_path: Path, entry: str, said: str) -> None:
    """Each is one sentence at its line that says the mend and never the secret."""
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "words").write_text(f"Bearer {SECRET}\r\nX: y")
    (tmp_path / "bytes").write_bytes(b"\xff\x00" + SECRET.encode())
    found = refused(
        tmp_path,
        f"[services.genesis]\n{entry}",
        TWO_WORDS=f"Bearer {SECRET}",
        GOOD_TOKEN=SECRET,
    )
    line = 3 if "\n" in entry else 2
    assert found.startswith(f"config.toml:{line}: services.genesis.{said}")
    assert len(found.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_token_file_without_permission(tmp_path: Path) -> None:
    """A token file that may not be read is a problem, not a missing token."""
    (tmp_path / "token").write_text(SECRET)
    (tmp_path / "token").chmod(0)
    said = refused(tmp_path, '[services.genesis]\ntoken_file = "token"')
    assert "cannot be read (Permission denied)" in said


CLEAR = "the token would travel unencrypted to another machine"
DOWNGRADE = "no CA bundle was found, so the token has no HTTPS to go by"


@pytest.mark.parametrize(
    ("service_name", "url", "said"),
    [
        ("acta", "http://box", CLEAR),
        ("acta", "http://127.evil.example", CLEAR),
        ("acta", "http://127.0.0.1.evil.example", CLEAR),
        ("acta", "http://localhost.evil.example", CLEAR),
        ("acta", "http://10.0.0.1:80", CLEAR),
        ("acta", "http://[::2]", CLEAR),
        ("genesis", "http://box", CLEAR),
        ("acta", None, DOWNGRADE),
        ("acta", "https://box", None),
        ("acta", "http://127.0.0.1:1", None),
        ("acta", "http://localhost", None),
        ("acta", "http://[::1]:80", None),
        ("genesis", None, None),
    ],
)
def test_tokens_do_not_travel_in_the_clear(
    tmp_path: Path, service_name: str, url: str | None, said: str | None
) -> None:
    """Plain HTTP to another machine, or by a missing bundle, needs allow_insecure_token."""
    text = f'[services.{service_name}]\ntoken_env = "T_T"\n' + (f'url = "{url}"\n' if url else "")
    if said is None:
        assert service(read(tmp_path, text, T_T=SECRET), service_name).token is not None
        return
    found = refused(tmp_path, text, T_T=SECRET)
    assert found.startswith(f"config.toml:2: services.{service_name}.token_env: {said}; ")
    allowed = read(tmp_path, text + "[tls]\nallow_insecure_token = true", T_T=SECRET)
    assert service(allowed, service_name).token is not None


def test_a_disabled_service_needs_no_token(tmp_path: Path) -> None:
    """What is not asked is not prepared: a missing token is no problem there."""
    config = read(tmp_path, '[services.acta]\nenabled = false\ntoken_env = "NOT_SET"')
    assert (service(config, "acta").enabled, service(config, "acta").token) == (False, None)
