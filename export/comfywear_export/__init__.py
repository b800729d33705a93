"""The workstation: train, export, quantise, prove."""
