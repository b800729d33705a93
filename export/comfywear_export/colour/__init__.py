"""Colour: building the table of names from the survey."""
