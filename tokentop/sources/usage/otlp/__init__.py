"""OpenTelemetry's exports (OTLP/HTTP, protobuf and JSON) -> usage events, pure."""
