"""The screen's first picture waits for no OpenSSL, and https works on it all the same."""

import subprocess
import sys
from pathlib import Path

from tests.cli.engines import VLLM, answer, configuration
from tests.payloads import payload
from tests.servers.certificates import private_ca
from tests.servers.loopback import Server
from tests.views.tui.pseudo_terminal import PseudoTerminal

LOADS = """
import sys
from tokentop.views.tui.terminal.asyncio_without_tls import load_asyncio
load_asyncio()
import tokentop.views.tui.run
before = "ssl" in sys.modules
import ssl
print(before, ssl.create_default_context().verify_mode.name)
"""


def test_what_the_first_picture_needs_loads_no_openssl() -> None:
    """Everything for it is loaded without the ssl module, which can be imported afterwards."""
    said = subprocess.run(
        [sys.executable, "-c", LOADS], capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == ["False", "CERT_REQUIRED"]


def test_where_ssl_is_loaded_already_nothing_is_changed() -> None:
    """An asyncio that comes after it has TLS, as always."""
    code = (
        "import ssl\nfrom tokentop.views.tui.terminal.asyncio_without_tls import load_asyncio\n"
        "load_asyncio()\nimport asyncio.sslproto\nprint(asyncio.sslproto.ssl is ssl)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True"]


def test_an_engine_behind_https_is_shown(tmp_path: Path) -> None:
    """The screen reads it through our own connections: its model stands there."""
    pages = {path: payload(name) for path, name in VLLM.items()}
    bundle = f'[tls]\nca_bundle = "{private_ca().bundle(tmp_path)}"\n'
    with Server(lambda asked: answer(asked, pages), tls=private_ca().good) as server:
        config = configuration(tmp_path, server.url, more=bundle)
        args = ["--config", config, "--no-gpus"]
        with PseudoTerminal(args, {"XDG_CONFIG_HOME": str(tmp_path)}) as terminal:
            terminal.read_until(b"tiny-llama")
            terminal.press(b"q")
            assert terminal.wait()[0] == 0
