"""Votes: pressed, learnt from, deleted everywhere."""
