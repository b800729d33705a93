"""The readers, a module a scheme; each has `open_uri(uri, clock) -> Reader`."""
