"""The alerts that are there without configuration: events only, no action."""

from tokentop.domain.alerts.rule import parse
from tokentop.domain.alerts.values import AlertRule
from tokentop.domain.verdict.values import Severity

_TABLE: tuple[tuple[str, str, str, Severity], ...] = (
    ("high-demand", "demand.utilization > 80% for 60s", "demand.utilization < 75% for 30s",
     "warning"),
    ("service-silent", "services[].member == true and services[].age_s > 30", "", "critical"),
    ("rented-idle", 'cost.basis == "rented" and gpus[].utilization < 10% for 10m',
     "gpus[].utilization > 20%", "info"),
    ("queue-growing", "llm.queued rises by 8 in 60s for 30s", "llm.queued falls by 1 in 30s",
     "warning"),
    ("slow-first-token", "throughput.ttft_p95_s > 5 for 60s", "throughput.ttft_p95_s < 4 for 30s",
     "warning"),
    ("gpu-lost", 'gpus[].state == "lost"', "", "critical"),
    ("budget-half-spent", "ledger.budgets[].threshold >= 50%", "ledger.budgets[].share < 50%",
     "info"),
    ("budget-nearly-spent", "ledger.budgets[].threshold >= 80%", "ledger.budgets[].share < 80%",
     "warning"),
    ("budget-spent", "ledger.budgets[].threshold >= 100%", "ledger.budgets[].share < 100%",
     "critical"),
    ("gpu-too-hot", "gpus[].temperature_c >= gpus[].slowdown_c for 10s", "", "critical"),
    ("gpu-thermal", 'gpus[].throttle contains "hw-thermal" for 10s', "", "critical"),
)  # fmt: skip

DEFAULTS = tuple(
    AlertRule(name, parse(when), parse(until) if until else None, severity=severity)
    for name, when, until, severity in _TABLE
)
