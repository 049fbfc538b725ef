"""TOML file + environment + flags -> one frozen Config, with where each value came from."""
