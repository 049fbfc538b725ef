"""Tokens and CA bundles that the configuration names: read, checked, refused in plain words."""

import os
from collections.abc import Mapping

from tokentop.config.draft import ConfigBuilder, Origin
from tokentop.config.files import is_exposed, read_small
from tokentop.config.keys import table
from tokentop.config.toml_file import home
from tokentop.config.values import Bad, check
from tokentop.domain.urls import is_loopback, split
from tokentop.secret import Secret

BUNDLE = "aithernet-ca-bundle.pem"
CONNECT_TOKEN = "TOKENTOP_CONNECT_TOKEN"
MAX_TOKEN = 16 * 1024
EXPOSED = "other users of this machine can read the token; chmod 600 the file it names"


def read_token(
    at: str, builder: ConfigBuilder, environ: Mapping[str, str], name: str = "token"
) -> Secret | None:
    """Read the token that `at`.token_env or `at`.token_file names, if any; note its origin.

    Sentences never repeat what was configured, which may be the token itself.
    """
    variable, path = f"{at}.{name}_env", f"{at}.{name}_file"
    by_env, by_file = builder.values[variable], builder.values[path]
    if by_env and by_file:
        builder.add_problem(path, f"stands beside {name}_env; keep one of the two")
        return None
    if not by_env and not by_file:
        return None
    if by_env:
        origin, text = Origin("environment", str(by_env)), token_from_variable(str(by_env), environ)
    else:
        where = resolve(str(by_file), builder.origin(path), environ)
        origin, text = Origin("file", where), token_from_file(where)
        if not isinstance(text, Bad) and is_exposed(where):
            builder.warnings.append(builder.origin(path).problem(path, EXPOSED))
    if isinstance(text, Bad):
        builder.add_problem(key_of_token(at, builder, name), text.text)
        return None
    builder.origins[f"{at}.{name}"] = origin
    return Secret(text)


def key_of_token(at: str, builder: ConfigBuilder, name: str = "token") -> str:
    """Return the key that names the token, for problems with it."""
    return f"{at}.{name}_{'env' if builder.values[f'{at}.{name}_env'] else 'file'}"


def read_webhook(at: str, builder: ConfigBuilder, environ: Mapping[str, str]) -> Secret | None:
    """The URL of `at`.webhook, maybe a secret: from the file itself, else as that says."""
    plain = builder.values[f"{at}.webhook"]
    held = read_token(at, builder, environ, "webhook")
    if held is None:
        return None if plain is None else Secret(str(plain))
    key = key_of_token(at, builder, "webhook")
    if plain is not None:
        builder.add_problem(key, "stands beside webhook; keep one of the two")
        return None
    url = check(table()[f"{at}.webhook"], held.reveal())
    if isinstance(url, Bad):
        builder.add_problem(key, f"what it names {url.text}")
        return None
    return Secret(str(url))


def refuse_cleartext(at: str, url: str, builder: ConfigBuilder) -> None:
    """Refuse a token over plain HTTP, unless the user allowed that or the host is loopback."""
    target = split(url)
    if target is None or target.scheme == "https" or is_loopback(target.host):
        return
    if builder.values["tls.allow_insecure_token"] is not True:
        mend = "use an https:// URL or a tunnel, or set tls.allow_insecure_token = true"
        text = f"the token would travel unencrypted to another machine; {mend}"
        builder.add_problem(key_of_token(at, builder), text)


def bundle(key: str, builder: ConfigBuilder, environ: Mapping[str, str], instead: str) -> None:
    """Check the CA bundle that `key` names: it must be readable and contain a certificate."""
    path = resolve(str(builder.values[key]), builder.origin(key), environ)
    builder.values[key] = path
    mend = f"correct the path, or remove it to {instead}"
    try:
        if b"-----BEGIN" not in read_small(path, 1024 * 1024):
            builder.add_problem(key, f"the file holds no PEM certificate; {mend}")
    except OSError as error:
        builder.add_problem(key, f"cannot be read ({error.strerror}); {mend}")


def resolve(path: str, origin: Origin, environ: Mapping[str, str]) -> str:
    """Return the path a user meant: ~ expanded, relative to the file that names it."""
    path = home(path, environ)
    return os.path.join(os.path.dirname(origin.name), path) if origin.kind == "file" else path


def token_from_variable(name: str, environ: Mapping[str, str]) -> str | Bad:
    text = environ.get(name, "").strip()
    if text:
        return text if _sendable(text) else _unsendable("the variable it names")
    known = f" ({name})" if "_" in name and name.isupper() and len(name) <= 40 else ""
    return Bad(f"the variable it names{known} is not set; export it, or remove this key")


def token_from_file(path: str) -> str | Bad:
    try:
        text = read_small(path, MAX_TOKEN + 1).decode("ascii", "replace").strip()
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


def find_bundle(builder: ConfigBuilder, environ: Mapping[str, str]) -> None:
    """Settle tls.ca_bundle: the configured file, which must be readable, else the stack's own."""
    key = table()["tls.ca_bundle"]
    if builder.values[key.name] is not None:
        return bundle(key.name, builder, environ, "use the stack's own bundle")
    places = [("environment", "AITHER_HOME", environ.get("AITHER_HOME", ""))]
    places.append(("default", "", home("~/.aither", environ)))
    for kind, name, folder in places:
        path = os.path.join(home(folder, environ), BUNDLE)
        if folder and os.path.isfile(path):
            return builder.put(key, path, Origin(kind, name))
    return None


def connect_token(
    urls: tuple[str, ...], builder: ConfigBuilder, environ: Mapping[str, str]
) -> Secret | None:
    """The token of --token-file beside --connect, else of CONNECT_TOKEN.

    A token_file in the configuration file is for serving: it is sent to nobody.
    """
    key, path = "serve.token_file", builder.values["serve.token_file"]
    if path is not None and builder.origin(key).kind == "flag":
        text = token_from_file(str(path))
    elif environ.get(CONNECT_TOKEN):
        builder.origins[key] = Origin("environment", CONNECT_TOKEN)
        text = token_from_variable(CONNECT_TOKEN, environ)
    else:
        return None
    if isinstance(text, Bad):
        builder.add_problem(key, text.text)
        return None
    for url in urls:
        refuse_cleartext("serve", url, builder)
    return Secret(text)
