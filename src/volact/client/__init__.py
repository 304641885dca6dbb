"""A small typed client of the service's API, used by the command line itself.

``client`` has ``Client``; ``wire``, ``answers`` and ``inventories`` have the
structs that the API speaks in, and the service imports them from here.
"""
