"""Reward tuning: a head on frozen features is moved towards a goal that has no gradient (Pinto et al. 2023)."""
