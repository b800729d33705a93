"""Re-identification with a person in the loop: who is asked about which pair, and what the answers teach.

Deep reinforcement active learning (DRAL: Liu et al., ICCV 2019), on top of the shipped attribute model instead of a
network of its own: what is learnt is a projection of its answers and a small function that chooses questions.
"""
