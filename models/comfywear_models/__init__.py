"""The model files that comfywear ships, and their cards."""

from comfywear_models.cards import Card, CardError, ModelFile, load_card
from comfywear_models.registry import available, find, verify

__all__ = ["Card", "CardError", "ModelFile", "available", "find", "load_card", "verify"]
