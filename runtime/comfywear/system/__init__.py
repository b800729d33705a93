"""What the operating system gives: clock, supervisor, memory, board, paths, files that last."""
