"""Bundles: what a server answered and how it was judged, in one file without names.

A bundle can be attached to a report and judged again offline.  Here are its values
(``document``), the replacement of names (``pseudonyms``), its making (``collect``)
and the second judgement (``replay``).  Files and servers are the caller's.
"""
