"""The first run: a device without settings is set up on its page, step by step."""
