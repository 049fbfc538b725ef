"""Engines by their kind: one file each, loaded only when it is asked for."""

import subprocess
import sys

import pytest

from tokentop.domain.engines.readings import EngineKind
from tokentop.sources.engines.command_line import variables
from tokentop.sources.engines.registry import KINDS, adapter, spec, usual_ports


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_file_of_its_own(kind: EngineKind) -> None:
    """A kind that is allowed in the configuration can be read."""
    assert spec(kind).kind == kind
    assert adapter(kind).kind == kind


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_is_read_without_the_others(kind: EngineKind) -> None:
    """The one-line view pays for the engines that it found; Ollama's runners are llama.cpp."""
    program = (
        "import sys; from tokentop.sources.engines.registry import KINDS, adapter;"
        f"adapter({kind!r});"
        "print(*(k for k in KINDS if f'tokentop.sources.engines.{k}' in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert set(ran.stdout.split()) <= {kind, spec(kind).runner_kind}


def test_usual_ports() -> None:
    """Each engine's own comes before the others', and none is asked twice."""
    ports = usual_ports()
    assert ports[:6] == (8000, 30000, 8080, 11434, 3000, 4000)
    assert len(set(ports)) == len(ports)


def test_no_secret_is_read_from_an_environment() -> None:
    """Only variables that say where and how much an engine serves."""
    assert set(variables()) == {
        "OLLAMA_HOST", "OLLAMA_NUM_PARALLEL", "LLAMA_ARG_PORT", "LLAMA_ARG_N_PARALLEL",
    }  # fmt: skip
