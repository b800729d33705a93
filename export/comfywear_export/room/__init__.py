"""Fitting the detector to a room that it has never seen, and measuring that on a simulated one."""
