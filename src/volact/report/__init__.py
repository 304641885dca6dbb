"""Rows to text, JSON, CSV, HTML and console commands; what is notable is decided elsewhere."""
