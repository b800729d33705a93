"""Messages are committed here before they are accepted, and leave when they have arrived."""
