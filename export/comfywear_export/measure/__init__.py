"""Figures of quality, in numpy."""
