"""What is said over MQTT: structs, topics, schemas, and the words for people."""
