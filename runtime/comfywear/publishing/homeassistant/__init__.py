"""What Home Assistant is told by MQTT discovery: devices and their entities, as plain mappings. Pure."""
