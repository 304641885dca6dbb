"""The agent over WinRM: a remote cmd shell, its standard input, its output.

``login`` logs in, ``transport`` is what the pipeline holds, ``shell`` speaks
WS-Management, ``failures`` reports what went wrong.
"""
