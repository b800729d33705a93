"""Active learning: which photos are worth labelling, and what the labels are worth."""
