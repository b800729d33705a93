"""What votes teach: the ordinal model, persons and zones, levels, when to ask."""
