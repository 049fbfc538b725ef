"""The effective configuration as frozen values, with every default that is not the economy's."""

from tokentop.domain.policy import INTERVAL_S, BudgetRule, Policy
from tokentop.named_tuple import NamedTuple
from tokentop.secret import Secret

THEMES = ("dark", "light", "colorblind", "ansi")
DEMO_PARTS = ("whole", "stack", "engines", "fleet", "gpus")
SEVERITIES = ("info", "warning", "critical")
ACTIONS = ("bell", "notify", "webhook", "command")
VALUATIONS = ("list", "live")
TEMPLATES = ("json", "slack", "ntfy")
PROVIDERS = {"vast": "vast", "runpod": "runpod", "lambda_cloud": "lambda"}  # field -> name
FAILURE_MODES = ("open", "closed")
PANELS = (
    "banner", "gpus", "slots", "multiplier", "metrics", "capacity", "cloud", "services", "economy",
    "tokens", "engines",
)  # fmt: skip


class ServiceConfig(NamedTuple):
    """One of the seven services. `paths` overrides endpoint paths by endpoint name.

    `url` is the base URL without a trailing slash; `configured` is true where the user (file,
    environment or flag) named it rather than the default address.
    """

    name: str
    url: str
    enabled: bool = True
    configured: bool = False
    token: Secret | None = None
    paths: tuple[tuple[str, str], ...] = ()


class EngineConfig(NamedTuple):
    """One engine the user named. `kind` is an EngineKind or None (identified by its answers)."""

    name: str
    url: str
    kind: str | None = None
    token: Secret | None = None
    max_slots: int | None = None


class DiscoveryConfig(NamedTuple):
    """Where engines are looked for: `hosts` at the usual ports and `ports`, never at `exclude`."""

    enabled: bool = True
    hosts: tuple[str, ...] = ("127.0.0.1",)
    ports: tuple[int, ...] = ()
    exclude: tuple[int, ...] = ()


class PrometheusConfig(NamedTuple):
    """A Prometheus-compatible server that scrapes a fleet; without `url` there is none.

    `url` has no trailing slash and may end in a prefix, below which /api/v1 lies. `ca_bundle` None
    trusts what the system trusts. `group_by` is a label's name.
    """

    url: str | None = None
    token: Secret | None = None
    ca_bundle: str | None = None
    group_by: str | None = None
    verify: bool = True


class ProviderConfig(NamedTuple):
    """One cloud that rents GPUs; without a token it is left alone. `url` has no trailing slash."""

    url: str
    token: Secret | None = None


class OffersConfig(NamedTuple):
    """The clouds whose offers and rented instances are read."""

    vast: ProviderConfig = ProviderConfig("https://console.vast.ai")
    runpod: ProviderConfig = ProviderConfig("https://api.runpod.io")
    lambda_cloud: ProviderConfig = ProviderConfig("https://cloud.lambda.ai")

    def configured(self) -> dict[str, ProviderConfig]:
        """Those that have a token, by the names that the user knows."""
        return {
            PROVIDERS[field]: one for field, one in self._asdict().items() if one.token is not None
        }


class MappingConfig(NamedTuple):
    """Names of attributes that say whose usage it is, before the usual ones; the first one counts.

    Attributes of telemetry, headers and metadata that a client chose; in lower case.
    """

    user: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    task: tuple[str, ...] = ()
    session: tuple[str, ...] = ()


class LedgerConfig(NamedTuple):
    """Where the consumption ledger is. None: in the user's state directory, and the host's name.

    `url` is a PostgreSQL database, instead of the file at `path`; it has no password. `writer`
    names the chain that this machine appends to; `valuation` is a file of prices in credits, None
    the shipped one; `prices` is one of VALUATIONS; `key_file` holds the key that signs checkpoints,
    `archive` is a folder. While serving a checkpoint is made every `checkpoint_hours`, unless that
    is 0. Days and months begin in `time_zone`, None the machine's. With `intake` `tokentop serve`
    books what it is sent; senders may show the token of `token_env` or `token_file` instead of
    serve's.
    """

    path: str | None = None
    url: str | None = None
    password: Secret | None = None
    writer: str | None = None
    valuation: str | None = None
    key_file: str | None = None
    archive: str | None = None
    checkpoint_hours: float = 0.0
    checkpoint_file: str | None = None
    webhook: Secret | None = None
    prices: str = "list"
    time_zone: str | None = None
    intake: bool = False
    token_env: str | None = None
    token_file: str | None = None
    mapping: MappingConfig = MappingConfig()


class AuthorizeConfig(NamedTuple):
    """Headers that say whose a request is, before the usual ones, and how /v1/authorize refuses.

    `failure_mode` holds while the ledger cannot be read.
    """

    user: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    status: int = 429
    retry_after: bool = False
    failure_mode: str = "open"


class TlsConfig(NamedTuple):
    ca_bundle: str | None = None
    verify: bool = True
    allow_insecure_token: bool = False  # a token may travel over plain HTTP


class ServeConfig(NamedTuple):
    """What `tokentop serve` listens on, and who may ask it.

    The token is read by serve_token.py when serving: the file may be the service's
    alone. `allowed_hosts` are further names of this machine, `cors_origins` the web pages that may
    read the API.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token_env: str | None = None
    token_file: str | None = None
    insecure_no_auth: bool = False
    web: bool = False
    allowed_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()


class RecordingConfig(NamedTuple):
    """Where snapshots are recorded, None for nowhere, and when a new file is begun.

    The file is then FILE.1, that FILE.2 and so on; so many are kept. MB are millions of bytes.
    """

    file: str | None = None
    rotate_mb: float = 100.0
    rotate_hours: float = 24.0
    keep: int = 7


class HostConfig(NamedTuple):
    """A machine whose `tokentop serve` is shown; `url` is its base URL without a trailing slash."""

    name: str
    url: str
    token: Secret | None = None


class UiConfig(NamedTuple):
    """`theme` is one of THEMES; `hide` names some of PANELS; `state`: choices are remembered."""

    theme: str = "dark"
    ascii: bool = False
    hide: tuple[str, ...] = ()
    state: bool = True


class HistoryConfig(NamedTuple):
    """What screen, --watch and serve keep of the past in the state directory."""

    enabled: bool = True
    max_mb: float = 64.0  # MiB of the file; the oldest goes first


class AlertConfig(NamedTuple):
    """One [[alert]]; `when` and `until` are rules (domain/alerts/rule.py), already checked.

    `severity` is one of SEVERITIES, `actions` are some of ACTIONS.
    """

    name: str = ""
    when: str = ""
    until: str | None = None
    cooldown_s: float = 300.0
    severity: str = "warning"
    text: str | None = None
    actions: tuple[str, ...] = ()
    silenced: bool = False


class AlertsConfig(NamedTuple):
    """The alerts and where their actions lead; `webhook` is a URL, `command` program and words."""

    enabled: bool = True
    defaults: bool = True
    template: str = "json"
    command: tuple[str, ...] = ()
    webhook: Secret | None = None
    token: Secret | None = None
    rows: tuple[AlertConfig, ...] = ()


class DemoConfig(NamedTuple):
    """`part` is one of DEMO_PARTS."""

    enabled: bool = False
    seed: int = 0
    at_s: float | None = None
    part: str = "whole"


class Config(NamedTuple):
    """Everything a view needs to start. Times in seconds."""

    interval_s: float = INTERVAL_S
    timeout_s: float = 2.5
    deadline_s: float = 3.0  # a one-shot view ends within this
    max_bytes: int = 2 * 1024 * 1024
    services: tuple[ServiceConfig, ...] = ()
    tls: TlsConfig = TlsConfig()
    gpus: bool = True  # ask the local driver
    policy: Policy = Policy()
    ui: UiConfig = UiConfig()
    demo: DemoConfig = DemoConfig()
    file: str | None = None  # the configuration file that was read
    origins: tuple[
        tuple[str, str], ...
    ] = ()  # dotted key -> "default" | "file PATH:LINE" | "environment NAME" | "flag --x"
    engines: tuple[EngineConfig, ...] = ()
    discovery: DiscoveryConfig = DiscoveryConfig()
    prometheus: PrometheusConfig = PrometheusConfig()
    history: HistoryConfig = HistoryConfig()
    alerts: AlertsConfig = AlertsConfig()
    serve: ServeConfig = ServeConfig()
    recording: RecordingConfig = RecordingConfig()
    hosts: tuple[HostConfig, ...] = ()  # [[host]], or what --connect names
    connect: tuple[str, ...] = ()  # --connect
    ledger: LedgerConfig = LedgerConfig()
    offers: OffersConfig = OffersConfig()
    budgets: tuple[BudgetRule, ...] = ()
    authorize: AuthorizeConfig = AuthorizeConfig()
    warnings: tuple[str, ...] = ()  # what holds all the same, and should be mended


def has_ledger(config: Config) -> bool:
    """Whether the configuration has a ledger to follow; the demo's is simulated."""
    return (bool(config.budgets) or config.ledger != LedgerConfig()) and not config.demo.enabled


def secrets(config: Config) -> tuple[Secret, ...]:
    """Every configured token, so that text can be checked for them before it is shown."""
    named = [*(s.token for s in config.services), *(e.token for e in config.engines)]
    named += [config.prometheus.token, config.alerts.webhook, config.alerts.token]
    named += [host.token for host in config.hosts]
    named += [config.ledger.password, config.ledger.webhook]
    named += [one.token for one in config.offers]
    return tuple(token for token in named if token is not None)
