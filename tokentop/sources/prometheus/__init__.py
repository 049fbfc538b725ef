"""A fleet through a server that speaks Prometheus' query API (Thanos, VictoriaMetrics, Mimir)."""
