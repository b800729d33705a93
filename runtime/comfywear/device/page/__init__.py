"""What the page shows of a device, and does to it."""
