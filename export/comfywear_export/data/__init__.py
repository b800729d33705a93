"""Data sets: reading, formats, crops, masks, augmenting."""
