"""The training loop and its run folders."""
