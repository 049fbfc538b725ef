"""The history that outlasts a run: one SQLite file a host, one writer, any number of readers."""
