"""Text Generation Inference: counters without _total, an admission limit that is no slot count."""

import pytest

from tests.sources.engines.conversations import (
    AUTH_REQUIRED,
    NOT_FOUND,
    WEB_PAGE,
    Talk,
    obj,
    read,
    text,
)
from tokentop.domain.readings import Failure
from tokentop.sources.engines.protocol import Hints
from tokentop.sources.engines.tgi import Tgi

INFO = obj({"model_id": "org/m", "version": "3.3.7", "max_concurrent_requests": 128})
BUSY = text(
    "# TYPE tgi_batch_current_size gauge",
    "tgi_batch_current_size 5",
    "tgi_queue_size 2",
    "tgi_batch_current_max_tokens 2500",
    "tgi_batch_max_total_tokens 10000",
    'tgi_request_success{method="generate"} 7',
    'tgi_request_success{method="generate_stream"} 3',
    'tgi_request_failure{err="overloaded"} 4',
    'tgi_request_failure{err="generation"} 1',
    "tgi_request_input_length_sum 900",
    "tgi_request_generated_tokens_sum 1200",
    "tgi_request_generated_tokens_count 10",
    'tgi_request_mean_time_per_token_duration_bucket{le="0.05"} 8',
    'tgi_request_mean_time_per_token_duration_bucket{le="+Inf"} 10',
)


def test_under_load() -> None:
    """Batch, queue, tokens and refusals; the cache only as an estimate."""
    reading = read(Tgi().poll(0.0), {"/info": INFO, "/metrics": BUSY})
    assert (reading.model, reading.version) == ("org/m", "3.3.7")
    assert (reading.active, reading.queued) == (5, 2)
    assert (reading.kv_cache, reading.kv_estimated) == (0.25, True)
    counters = reading.counters
    assert (counters.prompt_tokens, counters.generation_tokens) == (900, 1200)
    assert (counters.rejections, counters.error) == (4, 1)
    assert counters.requests == 11, "10 that succeeded and one that broke off; 4 were refused"
    assert reading.latencies.itl
    assert not reading.latencies.ttft


def test_the_admission_limit_is_not_the_seats() -> None:
    """`max_concurrent_requests` is never shown as slots; the user's word is."""
    table = {"/info": INFO, "/metrics": BUSY}
    assert read(Tgi().poll(0.0), table).max_slots is None
    reading = read(Tgi(Hints(configured_slots=32)).poll(0.0), table)
    assert (reading.max_slots, reading.slots_source) == (32, "configured")


def test_before_the_first_request_nothing_is_known() -> None:
    """TGI creates its series at first use."""
    reading = read(Tgi().poll(0.0), {"/info": INFO, "/metrics": text("process_cpu 1")})
    assert (reading.active, reading.queued, reading.kv_cache) == (None, None, None)
    assert (reading.counters.requests, reading.health) == (None, "online")


@pytest.mark.parametrize(
    ("answer", "health"), [(AUTH_REQUIRED, "auth-required"), (NOT_FOUND, "no-metrics")]
)
def test_refused_metrics(answer: Failure, health: str) -> None:
    """A key is wanted, or the metrics are served elsewhere: the model is known all the same."""
    reading = read(Tgi().poll(0.0), {"/info": INFO, "/metrics": answer})
    assert (reading.health, reading.model) == (health, "org/m")


def test_info_is_asked_seldom() -> None:
    """What never changes is read once a minute."""
    engine, talk = Tgi(), Talk({"/info": INFO, "/metrics": BUSY})
    for now in (0.0, 4.0, 8.0):
        talk.hold(engine.poll(now))
    assert talk.asked.count("/info") == 1


def test_a_web_page_is_a_failure() -> None:
    """A web application in TGI's place has no metrics."""
    assert isinstance(Talk({"/metrics": WEB_PAGE}).hold(Tgi().poll(0.0)), Failure)
