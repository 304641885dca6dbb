"""A cloud of other manners, as a folder that tests put next to the real ones."""
