"""The demo: the whole way of the data on one machine, through the same doors as a device."""
