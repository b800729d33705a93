"""From garments to clothing insulation."""
