"""Reports of a model's quality for people: one HTML file, or Markdown with pictures beside it."""

from comfywear_export.report.page import Block, Chart, Table, Text, write_report

__all__ = ["Block", "Chart", "Table", "Text", "write_report"]
