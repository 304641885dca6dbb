"""Facts in, findings, plan and verdict out: every decision volact makes.

Pure: no I/O, no clock, no chance; what is needed comes in as an argument.
``facts`` reads an answer, ``diagnose`` judges it, ``plan`` decides, ``verify``
says where the server stands afterwards.  ``licensing``, ``kms``, ``clock``,
``sddl`` and ``release`` answer the questions that several of these ask.
"""
