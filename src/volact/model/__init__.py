"""Frozen values that travel between the parts of volact.

No I/O, no judgement.  One file per noun: ``fact`` and ``facts`` (what a
server says), ``finding``, ``step`` (plans), ``profile`` (clouds, keys, error
codes), ``server`` (targets), ``report`` (the JSON contract).
"""
