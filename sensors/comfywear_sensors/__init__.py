"""Readers of temperature and humidity sensors."""

from comfywear_sensors.reading import Reading

__all__ = ["Reading"]
