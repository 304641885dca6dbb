"""One module per verb: its options, its help, and which work it hands to whom.

Every module has ``register(app)``.  Work is imported inside the verb.
"""
