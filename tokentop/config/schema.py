"""The effective configuration as frozen values, with every default that is not the economy's."""

from typing import NamedTuple

from tokentop.domain.policy import Policy
from tokentop.secret import Secret

THEMES = ("dark", "light", "colorblind", "ansi")
PANELS = (
    "banner", "gpus", "slots", "multiplier", "metrics", "capacity", "cloud", "services", "economy",
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


class TlsConfig(NamedTuple):
    ca_bundle: str | None = None
    verify: bool = True
    allow_insecure_token: bool = False  # a token may travel over plain HTTP


class UiConfig(NamedTuple):
    """`theme` is one of THEMES; `hide` names some of PANELS."""

    theme: str = "dark"
    ascii: bool = False
    hide: tuple[str, ...] = ()


class DemoConfig(NamedTuple):
    enabled: bool = False
    seed: int = 0
    at_s: float | None = None


class Config(NamedTuple):
    """Everything a view needs to start. Times in seconds."""

    interval_s: float = 4.0
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
