"""Tokens and CA bundles: found by a variable or a file, never repeated in words, never in clear."""

import os
from collections.abc import Mapping

from tokentop.config.draft import ConfigBuilder, Origin
from tokentop.config.file import home
from tokentop.config.values import Bad, is_loopback, split_url
from tokentop.secret import Secret

MAX_TOKEN = 16 * 1024


def token(at: str, builder: ConfigBuilder, environ: Mapping[str, str]) -> Secret | None:
    """Read the token that `at`.token_env or `at`.token_file names, if any; note its origin.

    Sentences never repeat what was configured, which may be the token itself.
    """
    variable, path = f"{at}.token_env", f"{at}.token_file"
    by_env, by_file = builder.values[variable], builder.values[path]
    if by_env and by_file:
        builder.add_problem(path, "stands beside token_env; keep one of the two")
        return None
    if not by_env and not by_file:
        return None
    if by_env:
        origin, text = Origin("environment", str(by_env)), _from_variable(str(by_env), environ)
    else:
        where = resolve(str(by_file), builder.origin(path), environ)
        origin, text = Origin("file", where), _from_file(where)
    if isinstance(text, Bad):
        builder.add_problem(key_of_token(at, builder), text.text)
        return None
    builder.origins[f"{at}.token"] = origin
    return Secret(text)


def key_of_token(at: str, builder: ConfigBuilder) -> str:
    """Return the key that names the token, for problems with it."""
    return f"{at}.token_{'env' if builder.values[f'{at}.token_env'] else 'file'}"


def refuse_cleartext(at: str, url: str, builder: ConfigBuilder) -> None:
    """Refuse to send a token in the clear, unless somebody chose that or it stays on this host."""
    parts = split_url(url)
    if parts is None or parts[0] == "https" or is_loopback(parts[1]):
        return
    if builder.values["tls.allow_insecure_token"] is not True:
        mend = "use an https:// URL or a tunnel, or set tls.allow_insecure_token = true"
        text = f"the token would travel unencrypted to another machine; {mend}"
        builder.add_problem(key_of_token(at, builder), text)


def bundle(key: str, builder: ConfigBuilder, environ: Mapping[str, str], instead: str) -> None:
    """Settle the CA bundle that `key` names: it must be readable and hold a certificate."""
    path = resolve(str(builder.values[key]), builder.origin(key), environ)
    builder.values[key] = path
    mend = f"correct the path, or remove it to {instead}"
    try:
        with open(path, "rb") as file:
            if b"-----BEGIN" not in file.read(1024 * 1024):
                builder.add_problem(key, f"the file holds no PEM certificate; {mend}")
    except OSError as error:
        builder.add_problem(key, f"cannot be read ({error.strerror}); {mend}")


def resolve(path: str, origin: Origin, environ: Mapping[str, str]) -> str:
    """Return the path a user meant: ~ expanded, relative to the file that names it."""
    path = home(path, environ)
    return os.path.join(os.path.dirname(origin.name), path) if origin.kind == "file" else path


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
