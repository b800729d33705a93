"""How the device is doing, for those who measure: Prometheus, OpenTelemetry."""
