"""Scenario files of the lab."""
