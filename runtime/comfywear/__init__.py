"""comfywear: a camera, a temperature and humidity sensor and a button become a comfort sensor."""

__version__ = "0.1.0"
