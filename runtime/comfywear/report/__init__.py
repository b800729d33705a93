"""The month in a page: what a zone's month was like, as HTML that prints on A4, or as PDF.

A `ZoneLog` takes in what was said; `figure` computes the month; `render` draws it.
"""

from comfywear.report.device_store import from_store
from comfywear.report.figures import ZoneMonth, figure
from comfywear.report.month import Month, time_zone
from comfywear.report.page import render
from comfywear.report.pdf import print_pdf
from comfywear.report.wording import Wording
from comfywear.report.zone_log import KINDS, ZoneLog

__all__ = [
    "KINDS",
    "Month",
    "Wording",
    "ZoneLog",
    "ZoneMonth",
    "figure",
    "from_store",
    "print_pdf",
    "render",
    "time_zone",
]
