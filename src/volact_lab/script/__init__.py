"""The script host: JScript source run by an embedded engine, COM objects in Python.

The engine knows more than JScript 5.8 does; ``prelude/`` takes that away, so
that a script cannot come to depend on it.
"""
