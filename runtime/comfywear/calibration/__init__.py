"""What a sensor says wrongly, found from data: compared with a reference, warmed by its board, slow. Pure.

Uncertainties are standard uncertainties (k = 1) after the GUM (JCGM 100:2008): readings by their scatter, limits of
resolution and drift as rectangular distributions.
"""
