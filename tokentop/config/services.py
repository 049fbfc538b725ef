"""The seven services' addresses and tokens, and the CA bundle they are trusted by."""

import os
from collections.abc import Mapping

from tokentop.config import credentials
from tokentop.config.draft import ConfigBuilder, Origin
from tokentop.config.file import home
from tokentop.config.keys import table
from tokentop.config.schema import ServiceConfig
from tokentop.sources.aither.endpoints import ENDPOINTS, SERVICES, default_url

BUNDLE = "aithernet-ca-bundle.pem"


def find_bundle(builder: ConfigBuilder, environ: Mapping[str, str]) -> None:
    """Settle tls.ca_bundle: the configured file, which must be readable, else the stack's own."""
    key = table()["tls.ca_bundle"]
    if builder.values[key.name] is not None:
        return credentials.bundle(key.name, builder, environ, "use the stack's own bundle")
    places = [("environment", "AITHER_HOME", environ.get("AITHER_HOME", ""))]
    places.append(("default", "", home("~/.aither", environ)))
    for kind, name, folder in places:
        path = os.path.join(home(folder, environ), BUNDLE)
        if folder and os.path.isfile(path):
            return builder.put(key, path, Origin(kind, name))
    return None


def build(builder: ConfigBuilder, environ: Mapping[str, str]) -> tuple[ServiceConfig, ...]:
    """Return the services, after `find_bundle`; problems with tokens go to the draft."""
    return tuple(_service(name, builder, environ) for name in SERVICES)


def _service(name: str, builder: ConfigBuilder, environ: Mapping[str, str]) -> ServiceConfig:
    at = f"services.{name}"
    configured = builder.origin(f"{at}.url").kind != "default"
    if not configured:
        ca_found = builder.values["tls.ca_bundle"] is not None
        builder.values[f"{at}.url"] = default_url(name, ca_found)
    url, enabled = str(builder.values[f"{at}.url"]), builder.values[f"{at}.enabled"] is True
    token = credentials.token(at, builder, environ) if enabled else None
    if token is not None:
        _guard(name, url, configured, builder)
    paths = (f"{at}.paths.{row.name}" for row in ENDPOINTS if row.service == name)
    changed = (key for key in paths if builder.origin(key).kind != "default")
    named = tuple((key.rpartition(".")[2], str(builder.values[key])) for key in changed)
    return ServiceConfig(name, url, enabled, configured, token, named)


def _guard(name: str, url: str, configured: bool, builder: ConfigBuilder) -> None:
    """A token goes to the address somebody chose, or to the stack's own by HTTPS only."""
    at = f"services.{name}"
    if configured:
        credentials.refuse_cleartext(at, url, builder)
    elif url.startswith("http:") and SERVICES[name].tls and not _allowed(builder):
        mend = f"set tls.ca_bundle, or {at}.url to choose plain HTTP"
        text = f"no CA bundle was found, so the token has no HTTPS to go by; {mend}"
        builder.add_problem(credentials.key_of_token(at, builder), text)


def _allowed(builder: ConfigBuilder) -> bool:
    return builder.values["tls.allow_insecure_token"] is True
