"""Tidy tables: one observation a row, one variable a column; `csv_file` writes them.

Missing values are None or NaN. Times are seconds of session time.
"""
