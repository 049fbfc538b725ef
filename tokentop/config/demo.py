"""What the demo's parts configure, in place of what the user has."""

from tokentop.config.draft import ConfigBuilder, Origin
from tokentop.config.keys import table
from tokentop.config.schema import PROVIDERS

PROMETHEUS_URL = "http://prometheus:9090"

_COST: dict[str, object] = {
    "cost.usd_per_gpu_hour": 2.20,
    "cost.reference_name": "hosted API",
    "cost.reference_usd_per_mtok": 2.40,
}


def configure(builder: ConfigBuilder) -> None:
    """Put the part's values over the user's: its engines, hosts and server are the demo's own.

    Costs, thresholds and prices that the user set stay.
    """
    part = builder.values["demo.part"]
    for array in ("engine", "host"):
        builder.rows[array].clear()
    for name in PROVIDERS.values():  # a key of the user's goes nowhere
        for key in (f"offers.{name}.token_env", f"offers.{name}.token_file"):
            _put(builder, key, None)
    _put(builder, "prometheus.url", PROMETHEUS_URL if part == "fleet" else None)
    if part == "fleet":
        _put(builder, "gpus.enabled", False)
        if builder.values["prometheus.group_by"] is None:
            _put(builder, "prometheus.group_by", "model_name")
    if part in ("whole", "engines", "fleet") and not any(
        name.startswith("cost.") for name in builder.origins
    ):
        for name, value in _COST.items():
            _put(builder, name, value)


def _put(builder: ConfigBuilder, name: str, value: object) -> None:
    if builder.values[name] != value:
        builder.put(table()[name], value, Origin("flag", "--demo"))
