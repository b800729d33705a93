"""The device: the only room that knows all rooms, and its workers, a file each."""
