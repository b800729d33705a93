"""The networks, in torch: trunk, detector, attribute model."""
