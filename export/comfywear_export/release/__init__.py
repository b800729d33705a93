"""A release of models: the gate of figures, and the signed folder."""
