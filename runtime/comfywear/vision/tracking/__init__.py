"""Who is who from frame to frame: the tracker, recognising again, presence."""
