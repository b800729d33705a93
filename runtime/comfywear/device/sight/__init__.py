"""The workers of the cameras: what is seen, shown, corrected and kept private."""
