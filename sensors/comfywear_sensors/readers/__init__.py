"""The readers, a module a scheme; each has `plan(uri, clock)`, which checks a URI and returns what opens it."""
