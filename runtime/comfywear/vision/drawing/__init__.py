"""Pictures for people: drawn finds, zones, the sketch, clips."""
