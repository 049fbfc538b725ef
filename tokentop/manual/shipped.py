"""The files in tokentop/share/, which `tokentop example NAME` prints."""

from importlib.resources import files

# A name is a path below tokentop/share/.
SHIPPED: dict[str, str] = {
    "Caddyfile": "tokentop's decision before each request, in Caddy",
    "Containerfile": "an image for `tokentop serve`",
    "Containerfile.screen": "an image for the full screen and the text views",
    "envoy.yaml": "the same in Envoy",
    "grafana-dashboard.json": "a Grafana dashboard of the metrics of `tokentop serve`",
    "ledger.md": "the guide to the ledger: intake, budgets, flags, what a credit is",
    "nginx.conf": "the same in nginx, with the refusal as it was meant",
    "openapi.json": "the API of `tokentop serve`, which it answers at /openapi.json",
    "prometheus-alerts.yml": "Prometheus alert rules, with the scrape configuration at the top",
    "schema.json": "the JSON Schema of tokentop/1",
    "valuation.toml": "what tokens and GPU time are worth, in credits; to copy and change",
    "traefik.yml": "the same in Traefik",
    "tokentop.1": "this program's manual page",
    "tokentop-watch.service": "a systemd user unit that logs one JSON object an interval",
    "tokentop.service": "a hardened systemd unit for `tokentop serve`",
}


def listing() -> str:
    """Every name with what it is, a line each."""
    width = max(map(len, SHIPPED))
    return "\n".join(f"{name:<{width}}  {what}" for name, what in sorted(SHIPPED.items()))


def contents(name: str) -> str:
    """The file as it was shipped; raises KeyError where there is none of that name."""
    if name not in SHIPPED:
        raise KeyError(name)
    return files("tokentop").joinpath("share", *name.split("/")).read_text(encoding="utf-8")
