"""What can be typed: one class of options for each verb, its docstring being the verb's help.

Nothing here does a verb's work or imports it: help and completion load these
modules alone.  ``volact.cli.registry`` says which class is whose.
"""
