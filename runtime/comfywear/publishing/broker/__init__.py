"""The connection to the broker, and what keeps it honest."""
