"""The workers that read the air, inside and outside."""
