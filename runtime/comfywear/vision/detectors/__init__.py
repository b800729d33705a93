"""Detectors of people and garments: what goes in, what comes out, as one net or two."""
