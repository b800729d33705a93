"""Buttons that people press: five on GPIO pins, a keypad, a serial box. All end in one path, the device's vote."""

from comfywear.feedback.buttons.panel import PanelState, PatientPanel
from comfywear.feedback.buttons.signals import Call

__all__ = ["Call", "PanelState", "PatientPanel"]
