"""Persons with garments, colours and zones, from what was found in frames."""
