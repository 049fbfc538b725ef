"""The rule language: what it means, and what it says of a mistake."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokentop.domain.alerts.defaults import DEFAULTS
from tokentop.domain.alerts.keys import keys
from tokentop.domain.alerts.rule import Condition, Key, RuleError, parse


@pytest.mark.parametrize(
    ("text", "conditions", "for_s"),
    [
        ("demand.utilization > 0.8 for 60s", [("demand.utilization", ">", 0.8)], 60.0),
        ("demand.utilization>=80%", [("demand.utilization", ">=", 0.8)], 0.0),
        ("llm.queued == 3 for 1.5m", [("llm.queued", "==", 3.0)], 90.0),
        ('gpus[].state != "ok" for 2h', [("gpus[].state", "!=", "ok")], 7200.0),
        ("cloud.active < -1 for 1d", [("cloud.active", "<", -1.0)], 86_400.0),
        ("capacity.needed == true", [("capacity.needed", "==", True)], 0.0),
        (
            'cost.basis == "rented" and gpus[].utilization < 10% for 10min',
            [("cost.basis", "==", "rented"), ("gpus[].utilization", "<", 0.1)],
            600.0,
        ),
        ("llm.queued rises by 8 in 60s", [("llm.queued", "rises", 8.0, 60.0)], 0.0),
        (
            "gpus[].power_w >= gpus[].power_limit_w",
            [("gpus[].power_w", ">=", Key("gpus[].power_limit_w"))],
            0.0,
        ),
        ('gpus[].throttle contains "hw-thermal"', [("gpus[].throttle", "contains", "hw-thermal")],
         0.0),
    ],
)  # fmt: skip
def test_what_a_rule_means(text: str, conditions: list[tuple[object, ...]], for_s: float) -> None:
    rule = parse(text)
    assert rule.conditions == tuple(Condition(*each) for each in conditions)  # type: ignore[arg-type]
    assert rule.for_s == for_s
    assert rule.text == text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "ends too early"),
        ("demand.utilization >", "ends too early"),
        ("demand.utilisation > 1", "no key of the snapshot; did you mean demand.utilization?"),
        ("gpu.power_w > 1", "did you mean gpus[].power_w?"),
        ("zzz > 1", "`tokentop --json` shows them all"),
        ("llm.queued 3", "needs a comparison after the key"),
        ("llm.queued > 60s", "'60s' is no number; times stand after for and in"),
        ("llm.queued > 6 for 60", "needs a time with its unit"),
        ("llm.queued > 6 for ever", "needs a time with its unit"),
        ("llm.queued rises 3", 'needs "by" after rises or falls'),
        ("llm.queued > 1 or llm.active > 1", "goes on after its end with 'or llm.active > 1'"),
        ("gpus[].power_w > engines[].active", "walks through engines and gpus at once"),
        ("llm.queued > $(reboot)", "cannot be read from '$(reboot)' on"),
        ("llm.queued > 1 " + "and llm.queued > 1 " * 30, "longer than 400 characters"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_mend(text: str, sentence: str) -> None:
    with pytest.raises(RuleError) as raised:
        parse(text)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


@given(
    st.text(alphabet="demand.utilization llm[]>=<!%\"'0123456789sm\n and for by in", max_size=80)
)
def test_any_text_is_a_rule_or_a_sentence(text: str) -> None:
    with suppress(RuleError):
        parse(text)


def test_the_keys_are_those_of_the_snapshot() -> None:
    assert {"demand.utilization", "throughput.ttft_p95_s", "gpus[].state", "engines[].queued",
            "demand.pools[].kv_cache", "services[].age_s", "cost.basis"} <= set(keys())  # fmt: skip
    assert "gpus" not in keys()


def test_the_default_alerts_take_no_action() -> None:
    assert len(DEFAULTS) == len({alert.name for alert in DEFAULTS})
    assert {alert.actions for alert in DEFAULTS} == {()}
