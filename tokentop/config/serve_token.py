"""The token that clients of `tokentop serve` must send, read when it starts to serve."""

from collections.abc import Mapping

from tokentop.config.credentials import token_from_file, token_from_variable
from tokentop.config.schema import LedgerConfig, ServeConfig
from tokentop.config.values import Bad
from tokentop.secret import Secret

MIN_TOKEN = 16  # characters: anybody who reaches the port may guess


def serve_token(
    config: ServeConfig | LedgerConfig, environ: Mapping[str, str], section: str = "serve"
) -> Secret | None:
    """Return the token that clients must send, None where none is configured in `section`.

    Raises ValueError with one sentence where it is configured and cannot be read, or is too short
    to withstand guessing.
    """
    text: str | Bad
    if config.token_file is not None:
        text, place = token_from_file(config.token_file), f"{section}.token_file"
    elif config.token_env is not None:
        text, place = token_from_variable(config.token_env, environ), f"{section}.token_env"
    else:
        return None
    if isinstance(text, Bad):
        raise ValueError(f"{place}: {text.text}")
    if len(text) < MIN_TOKEN:
        mend = "use for example the output of `openssl rand -hex 32`"
        raise ValueError(f"{place}: the token has fewer than {MIN_TOKEN} characters; {mend}")
    return Secret(text)
