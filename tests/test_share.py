"""The files that are shipped as examples, exercised by the programs that they are for."""

import json
import re
import shlex
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from tests.servers.service import service
from tokentop.arguments.parse import parse
from tokentop.config.schema import Config
from tokentop.domain.ledger.listing import Page, Question
from tokentop.domain.past import Past, Stretch
from tokentop.runtime.serve import history
from tokentop.runtime.serve.authorize import Authority
from tokentop.runtime.serve.entries import entries_route
from tokentop.runtime.serve.usage import PATHS

SHARE = Path(str(files("tokentop").joinpath("share")))


def tool(name: str, package: str) -> pytest.MarkDecorator:
    reason = f"no {name}: apt-get install {package}"
    return pytest.mark.skipif(not shutil.which(name), reason=reason)


def unit(folder: Path) -> Path:
    """The unit with a program that is there, as `verify` wants one."""
    text = (SHARE / "tokentop.service").read_text()
    path = folder / "tokentop.service"
    path.write_text(text.replace("/usr/local/bin/tokentop", "/bin/true"))
    return path


@tool("systemd-analyze", "systemd")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit(tmp_path))], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@tool("systemd-analyze", "systemd")
def test_the_unit_is_hardened(tmp_path: Path) -> None:
    """An exposure level of 2.0 at most, of 10; services without hardening have 9.6."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit(tmp_path))],
        capture_output=True, text=True, env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    level = re.search(r"Overall exposure level for tokentop\.service: ([0-9.]+)", done.stdout)
    assert level is not None, done.stdout + done.stderr
    assert float(level[1]) <= 2.0


def test_the_commands_of_unit_and_container_are_ours() -> None:
    """Both start what the argument parser accepts, beyond this machine with a token."""
    started = re.search(r"^ExecStart=\S+ (.*)$", (SHARE / "tokentop.service").read_text(), re.M)
    container = (SHARE / "Containerfile").read_text()
    entry = re.search(r"^ENTRYPOINT (.*)$", container, re.M)
    more = re.search(r"^CMD (.*)$", container, re.M)
    assert started is not None
    assert entry is not None
    assert more is not None
    for words in (shlex.split(started[1]), [*json.loads(entry[1])[1:], *json.loads(more[1])]):
        args = parse(words)
        assert args.view == "serve"
        assert args.overrides["serve.host"] == "0.0.0.0"
        assert str(args.overrides["serve.token_file"]).endswith("token")


def test_the_container_runs_as_nobody_in_particular() -> None:
    lines = (SHARE / "Containerfile").read_text().splitlines()
    assert "USER tokentop" in lines
    assert lines.index("USER tokentop") < lines.index("EXPOSE 8765")


@tool("promtool", "prometheus")
def test_promtool_accepts_the_alert_rules() -> None:
    rules = str(SHARE / "prometheus-alerts.yml")
    done = subprocess.run(["promtool", "check", "rules", rules], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS: 12 rules found" in done.stdout


async def nothing_kept(_: Stretch) -> Past:
    return Past()


def test_every_path_of_the_api_document_answers() -> None:
    """And with the status and a type that the document names."""
    document = json.loads((SHARE / "openapi.json").read_text())
    assert set(document["paths"]) >= PATHS
    routes = (*Authority(lambda: None, Config).routes(), history.route(nothing_kept))

    async def empty(question: Question) -> Page:
        return Page(question.wanted, total=0)

    with service(pages=[entries_route(empty), *routes]) as running:
        for path, methods in document["paths"].items():
            if path in PATHS:
                assert set(methods) == {"post"}  # tests/cli/test_intake.py sends to each
                continue
            for method, about in methods.items():
                needed = [p["name"] for p in about.get("parameters", ()) if p.get("required")]
                query = {name: str(at) for at, name in enumerate(needed) if name != "project"}
                with httpx.stream(method, running.url + path, params=query) as answer:
                    described = about["responses"][str(answer.status_code)]
                    assert answer.status_code == (404 if path.startswith("/v1/") else 200)
                    if "content" in described:
                        kind = answer.headers["content-type"].partition(";")[0]
                        assert kind in described["content"]
