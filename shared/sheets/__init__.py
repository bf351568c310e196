"""Spreadsheets in and out: one layout for the template, the import, the refused rows and the export."""

from shared.sheets.download import download
from shared.sheets.layout import Choice, Column, Fault, Layout, Row, Sheet, chinese
from shared.sheets.reading import read
from shared.sheets.writing import template, write, write_csv

__all__ = [
    "Choice",
    "Column",
    "Fault",
    "Layout",
    "Row",
    "Sheet",
    "chinese",
    "download",
    "read",
    "template",
    "write",
    "write_csv",
]
