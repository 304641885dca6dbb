"""A cloud of other manners, as a folder that tests put beside the real ones."""
