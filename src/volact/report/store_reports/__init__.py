"""The reports of the verbs that read the store: text for people, JSON, JSON lines and CSV.

Pure: answers of ``volact.queries`` come in as values, ``now`` is an argument.
"""
