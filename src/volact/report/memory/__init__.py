"""What the store remembers, digested and written: fleets, histories, runs, differences.

Pure: rows of the store come in as values, ``now`` is an argument.  Reading the
store is ``volact.store``'s, choosing what to read the verbs'.
"""
