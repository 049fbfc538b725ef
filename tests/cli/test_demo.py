"""`--demo=stack` through the one-shot views: frozen moments, and the polls that led up to them."""

import json

import pytest

from tests.cli.command import in_process, run

# Measured anew at every run; all else of a frozen moment is the same each time.
MEASURED = ("latency_ms",)


def moment(at_s: float, *words: str) -> dict[str, object]:
    value: dict[str, object] = json.loads(
        in_process("--json", "--demo=stack", "--demo-at", str(at_s), *words).stdout
    )
    for service in services(value).values():
        for name in MEASURED:
            service.pop(name)
    return value


def services(value: dict[str, object]) -> dict[str, dict[str, object]]:
    return {service["name"]: service for service in value["services"]}  # type: ignore[attr-defined]


def test_a_moment_is_the_same_every_time() -> None:
    """Same seed, same second: same snapshot; another seed differs."""
    first = moment(100, "--demo-seed", "7")
    assert first == moment(100, "--demo-seed", "7")
    assert first["gpus"] != moment(100, "--demo-seed", "8")["gpus"]


def test_it_says_demo_everywhere() -> None:
    """JSON has demo true; the line begins with DEMO."""
    assert json.loads(run("--json", "--demo=stack", "--demo-at", "20").stdout)["demo"] is True
    done = run("--compact", "--demo=stack", "--demo-at", "20")
    assert done.stdout.startswith("DEMO │ GPU ")
    assert done.returncode == 0


@pytest.mark.parametrize(("at_s", "code"), [(5, 0), (80, 1), (100, 2)])
def test_check_follows_the_walk(at_s: int, code: int) -> None:
    """The demo passes through every banner mode."""
    assert run("--check", "--demo=stack", "--demo-at", str(at_s)).returncode == code


def test_the_failing_service_has_a_past() -> None:
    """It fails at 60 s with data of then; three failures open its breaker; later it is back."""
    moments = [moment(at_s) for at_s in (58, 62, 80, 110)]
    fresh, failing, backing_off, back = (services(each)["parallel"] for each in moments)
    assert (fresh["state"], fresh["age_s"]) == ("online", 0.0)
    assert (failing["state"], failing["age_s"]) == ("stale", 4.0)
    assert (backing_off["state"], backing_off["age_s"]) == ("backing-off", 24.0)
    assert back["state"] == "online"
    assert moments[1]["parallel"]["stale"] is True  # type: ignore[index]


def test_the_countdown_has_begun_when_it_should() -> None:
    """The scale-down clock has run since demand fell below its bound, a few polls ago."""
    left = moment(165)["capacity"]["scale_down_in_s"]  # type: ignore[index]
    assert 580 <= left < 600
    assert moment(100)["capacity"]["scale_down_in_s"] is None  # type: ignore[index]


def test_far_future_moments_cost_no_more() -> None:
    """A moment months ahead is reached in time; to live through it all would take minutes."""
    words = ("--json", "--demo=stack", "--demo-at", "7200062", "--interval", "60")
    found = json.loads(run(*words).stdout)
    assert services(found)["parallel"]["state"] == "stale"
