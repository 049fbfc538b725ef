"""The collector without a screen: its latest snapshot over HTTP. Needs the extra `serve`."""
