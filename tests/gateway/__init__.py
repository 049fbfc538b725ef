"""Plugins of gateways, and one real LiteLLM with its plugin."""
