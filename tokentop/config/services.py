"""The seven services' addresses and tokens, and the CA bundle they are trusted by."""

import os
from collections.abc import Mapping

from tokentop.config.draft import Draft, Origin
from tokentop.config.file import home
from tokentop.config.keys import table
from tokentop.config.schema import ServiceConfig
from tokentop.config.values import Bad, is_loopback, split_url
from tokentop.secret import Secret
from tokentop.sources.aither import ENDPOINTS, SERVICES, default_url

BUNDLE = "aithernet-ca-bundle.pem"
MAX_TOKEN = 16 * 1024


def find_bundle(draft: Draft, environ: Mapping[str, str]) -> None:
    """Settle tls.ca_bundle: the configured file, which must be readable, else the stack's own."""
    key = table()["tls.ca_bundle"]
    given = draft.values[key.name]
    if isinstance(given, str):
        return _check_bundle(draft, _resolve(given, draft.origin(key.name), environ))
    places = [("environment", "AITHER_HOME", environ.get("AITHER_HOME", ""))]
    places.append(("default", "", home("~/.aither", environ)))
    for kind, name, folder in places:
        path = os.path.join(home(folder, environ), BUNDLE)
        if folder and os.path.isfile(path):
            return draft.put(key, path, Origin(kind, name))
    return None


def build(draft: Draft, environ: Mapping[str, str]) -> tuple[ServiceConfig, ...]:
    """Return the services, after `find_bundle`; problems with tokens go to the draft."""
    return tuple(_service(name, draft, environ) for name in SERVICES)


def _service(name: str, draft: Draft, environ: Mapping[str, str]) -> ServiceConfig:
    at = f"services.{name}"
    configured = draft.origin(f"{at}.url").kind != "default"
    if not configured:
        ca_found = draft.values["tls.ca_bundle"] is not None
        draft.values[f"{at}.url"] = default_url(name, ca_found)
    url, enabled = str(draft.values[f"{at}.url"]), draft.values[f"{at}.enabled"] is True
    token = _token(name, draft, environ) if enabled else None
    if token is not None:
        _guard(name, url, configured, draft)
    paths = (f"{at}.paths.{row.name}" for row in ENDPOINTS if row.service == name)
    changed = (key for key in paths if draft.origin(key).kind != "default")
    named = tuple((key.rpartition(".")[2], str(draft.values[key])) for key in changed)
    return ServiceConfig(name, url, enabled, configured, token, named)


def _check_bundle(draft: Draft, path: str) -> None:
    draft.values["tls.ca_bundle"] = path
    mend = "correct the path, or remove it to use the stack's own bundle"
    try:
        with open(path, "rb") as file:
            if b"-----BEGIN" not in file.read(1024 * 1024):
                draft.complain("tls.ca_bundle", f"the file holds no PEM certificate; {mend}")
    except OSError as error:
        draft.complain("tls.ca_bundle", f"cannot be read ({error.strerror}); {mend}")


def _token(name: str, draft: Draft, environ: Mapping[str, str]) -> Secret | None:
    """Read the token; sentences never repeat what was configured, which may be the token itself."""
    variable, path = f"services.{name}.token_env", f"services.{name}.token_file"
    by_env, by_file = draft.values[variable], draft.values[path]
    if by_env and by_file:
        draft.complain(path, "stands beside token_env; keep one of the two")
        return None
    if not by_env and not by_file:
        return None
    key = variable if by_env else path
    if by_env:
        origin, text = Origin("environment", str(by_env)), _from_variable(str(by_env), environ)
    else:
        where = _resolve(str(by_file), draft.origin(path), environ)
        origin, text = Origin("file", where), _from_file(where)
    if isinstance(text, Bad):
        draft.complain(key, text.text)
        return None
    draft.origins[f"services.{name}.token"] = origin
    return Secret(text)


def _from_variable(name: str, environ: Mapping[str, str]) -> str | Bad:
    text = environ.get(name, "").strip()
    if text:
        return text if _sendable(text) else _unsendable("the variable it names")
    known = f" ({name})" if "_" in name and name.isupper() and len(name) <= 40 else ""
    return Bad(f"the variable it names{known} is not set; export it, or remove this key")


def _from_file(path: str) -> str | Bad:
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_TOKEN + 1).decode("ascii", "replace").strip()
    except OSError as error:
        mend = "write the token there, or correct the path"
        return Bad(f"the file it names cannot be read ({error.strerror}); {mend}")
    if not text:
        return Bad("the file it names is empty; write the token there, or remove this key")
    return text if _sendable(text) else _unsendable("the file it names")


def _sendable(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text and len(text) <= MAX_TOKEN


def _unsendable(holder: str) -> Bad:
    return Bad(f"{holder} holds more than one plain word; leave only the token in it")


def _guard(name: str, url: str, configured: bool, draft: Draft) -> None:
    """Refuse to send a token in the clear, unless somebody chose that or it stays on this host."""
    parts = split_url(url)
    if parts is None or parts[0] == "https" or draft.values["tls.allow_insecure_token"] is True:
        return
    key = f"services.{name}.token_{'env' if draft.values[f'services.{name}.token_env'] else 'file'}"
    if configured and not is_loopback(parts[1]):
        mend = "use an https:// URL or a tunnel, or set tls.allow_insecure_token = true"
        draft.complain(key, f"the token would travel unencrypted to another machine; {mend}")
    elif not configured and SERVICES[name].tls:
        mend = f"set tls.ca_bundle, or services.{name}.url to choose plain HTTP"
        draft.complain(key, f"no CA bundle was found, so the token has no HTTPS to go by; {mend}")


def _resolve(path: str, origin: Origin, environ: Mapping[str, str]) -> str:
    """Return the path a user meant: ~ expanded, relative to the file that names it."""
    path = home(path, environ)
    return os.path.join(os.path.dirname(origin.name), path) if origin.kind == "file" else path
