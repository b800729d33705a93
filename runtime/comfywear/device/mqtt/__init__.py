"""What is said over MQTT, and what is asked for there."""
