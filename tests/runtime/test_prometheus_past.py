"""The history view's past from a real Prometheus, and beside what this host has kept."""

import subprocess
import threading
import time
from collections.abc import Iterator
from shutil import which
from urllib.request import urlopen

import pytest

from tests.runtime.serve.test_prometheus import free_port
from tests.servers.fleet_exporter import dcgm, litellm, llamacpp, nvidia_smi, sglang, tgi, vllm
from tokentop.config.load import load
from tokentop.config.schema import Config
from tokentop.domain.history import Sample
from tokentop.domain.past import Past, PastError, Stretch
from tokentop.runtime import history
from tokentop.runtime.prometheus_past import read

LIMIT_S = 60.0  # of another program's start
ENDED = round(time.time()) - 3 * 3600  # of what was scraped, every 15 s for ten minutes
SPAN_S, EVERY_S = 600, 15
# What the exporter's pages come to: five vLLM servers make 100 to 104 tokens/s, SGLang 20,
# llama.cpp 20, TGI 50; half of all first tokens come within 0.05 s, half within 0.5 s; eight GPUs
# of 80 GiB beside one of 24.
FIGURES = {
    "tokens_per_s": 600.0,
    "ttft_p95_s": 0.25 + 0.25 * 0.9,
    "queued": 9.0,
    "kv_cache": 0.75,
    "vram_fraction": 281 / 664,
    "gpu_utilization": (280 + 50) / 900,
    "power_w": 832.0,
    "temperature_c": 47.0,
}


def scraped(at: int) -> Iterator[str]:
    """Every page as Prometheus keeps it: with its target's labels, and the time."""
    pages = {f"node:{8000 + n}": vllm(n, at - ENDED + SPAN_S) for n in range(5)}
    t = at - ENDED + SPAN_S
    pages |= {"a:1": sglang(t), "b:1": llamacpp(t), "c:1": tgi(t), "d:1": litellm(t)}
    pages |= {"e:1": dcgm(0), "f:1": nvidia_smi()}
    for instance, page in pages.items():
        for line in page.splitlines():
            series, _, value = line.rpartition(" ")
            name, _, own = series.rstrip("}").partition("{")
            labels = ",".join(filter(None, (own, 'job="all"', f'instance="{instance}"')))
            yield f"{name}{{{labels}}} {value} {at}"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has scraped the fleet three hours ago."""
    if not which("prometheus") or not which("promtool"):
        pytest.skip("no Prometheus: apt-get install prometheus")
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    times = range(ENDED - SPAN_S, ENDED + 1, EVERY_S)
    pages = "\n".join(line for at in times for line in scraped(at))
    (folder / "past.txt").write_text(f"{pages}\n# EOF\n")
    (folder / "none.yml").write_text("{}")
    run = ["promtool", "tsdb", "create-blocks-from", "openmetrics"]
    subprocess.run([*run, folder / "past.txt", folder / "data"], check=True, capture_output=True)
    command = ["prometheus", f"--config.file={folder}/none.yml",
               f"--storage.tsdb.path={folder}/data",
               f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        url = f"http://127.0.0.1:{port}"
        ready(url)
        yield url
        process.kill()


def ready(url: str) -> None:
    """Wait until it answers every query: one that has just begun to listen refuses some."""
    until, pause = time.monotonic() + LIMIT_S, threading.Event()
    while True:
        try:
            urlopen(f"{url}/-/ready", timeout=LIMIT_S).close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            pause.wait(0.1)


def fleet(url: str) -> Config:
    return load({"prometheus.url": url, "ui.state": False}, {}, None)


def stretch(url: str, start: float, end: float) -> Past:
    return read(fleet(url), Stretch(start, end))


def test_every_figure_of_a_fleet(url: str) -> None:
    """Sums, shares and a quantile over engines and GPUs; the economy's are not known there."""
    found = stretch(url, ENDED - SPAN_S, ENDED)
    assert len(found.mean) == SPAN_S / 5 + 1
    for sample in found.mean[-60:]:  # the rates' window is full
        for name, value in FIGURES.items():
            assert getattr(sample, name) == pytest.approx(value, rel=0.01), name
    assert found.mean[-1].t == ENDED
    assert found.mean[-1].multiplier is found.mean[-1].usd_per_hour is None
    assert found.low == found.high == found.mean


def test_a_day_is_read_in_as_many_slices_as_a_chart_has(url: str) -> None:
    """The stretch that holds the ten minutes has them at its end, and nothing before."""
    found = stretch(url, ENDED - 86_400.0, ENDED)
    assert 4 <= len(found.mean) <= 6  # of 144 s each
    assert found.mean[-1].queued == FIGURES["queued"]


def test_a_stretch_before_its_first_scrape_is_empty(url: str) -> None:
    """No data is no failure."""
    assert stretch(url, ENDED - 9000.0, ENDED - 8000.0) == Past()


def test_what_cannot_be_read_is_one_sentence() -> None:
    """Nothing listens there, and nothing was kept here."""
    with pytest.raises(PastError, match=r"cannot be read from Prometheus: .*nothing listens"):
        history.past(fleet("http://127.0.0.1:9"), "box", Stretch(0.0, 600.0), 600.0)


def test_what_was_kept_here_wins_in_its_slice() -> None:
    """Figures that only this host knows, and its own view of the others."""
    theirs = Past(*((Sample(10.0, queued=3.0), Sample(20.0, queued=4.0)),) * 3)
    own = Past(*((Sample(21.0, utilization=0.5, queued=5.0), Sample(31.0, multiplier=2.0)),) * 3)
    assert theirs.overlaid(own, 10.0).mean == (
        Sample(10.0, queued=3.0),
        Sample(21.0, utilization=0.5, queued=5.0),
        Sample(31.0, multiplier=2.0),
    )
    assert theirs.overlaid(Past(), 10.0) == theirs
