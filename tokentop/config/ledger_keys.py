"""The keys of [ledger] and [ledger.mapping]."""

from tokentop.config.key import Key
from tokentop.config.schema import VALUATIONS, LedgerConfig, MappingConfig


def ledger_keys() -> tuple[Key, ...]:
    """Return the keys of [ledger] and of [ledger.mapping]."""
    ledger = LedgerConfig()
    return (
        Key("ledger.path", "file", ledger.path, 'The file; "" is one in $XDG_STATE_HOME',
            sample="/var/lib/tokentop/ledger.sqlite3"),
        Key("ledger.url", "database", ledger.url, "PostgreSQL, where several machines write one",
            sample="postgresql://tokentop@db.example/ledger?sslmode=verify-full"),
        Key("ledger.password_env", "variable", None, "Variable holding the password of its user"),
        Key("ledger.password_file", "file", None, "File holding it"),
        Key("ledger.writer", "writer", ledger.writer, 'Whose entries it adds; "" is the host',
            sample="gpu-box"),
        Key("ledger.valuation", "file", ledger.valuation,
            'Prices in credits; "" is `tokentop example valuation.toml`'),
        Key("ledger.prices", "choice", ledger.prices,
            "list, or live: times the present multiplier, by what a GPU costs now",
            choices=VALUATIONS),
        Key("ledger.key_file", "file", ledger.key_file,
            'Key that signs checkpoints; "" is ledger.key beside the file'),
        Key("ledger.time_zone", "zone", ledger.time_zone,
            'Where its days and months begin; "" is the machine\'s', sample="Europe/Berlin"),
        Key("ledger.intake", "switch", ledger.intake,
            "`tokentop serve` books the usage that gateways, engines and agents send it"),
        Key("ledger.token_env", "variable", None,
            "Environment variable holding a token that may send usage and nothing else"),
        Key("ledger.token_file", "file", None, "File holding that token"),
        *_mapping(),
        Key("ledger.archive", "file", ledger.archive,
            'Folder of archived entries; "" is ledger-archive beside the file'),
        Key("ledger.checkpoint_hours", "number", ledger.checkpoint_hours,
            "Hours between checkpoints of serve, in its log; 0 makes none", 0.0, 1e4),
        Key("ledger.checkpoint_file", "file", ledger.checkpoint_file,
            "Checkpoints are added to this file too"),
        Key("ledger.webhook", "url", None, "And posted there", sample="https://elsewhere.example/x"),
        Key("ledger.webhook_env", "variable", None, "Variable holding that URL, if it is secret"),
        Key("ledger.webhook_file", "file", None, "File holding it"),
    )  # fmt: skip


def _mapping() -> tuple[Key, ...]:
    return tuple(
        Key(f"ledger.mapping.{name}", "words", names, f"Attributes that name the {name}",
            sample=["acme.cost_center"])
        for name, names in MappingConfig()._asdict().items()
    )  # fmt: skip
