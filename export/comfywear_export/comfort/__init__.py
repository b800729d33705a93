"""Fitting and measuring the comfort model on votes of the ASHRAE Global Thermal Comfort Database II."""
