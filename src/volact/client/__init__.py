"""A small typed client of the service's API, used by the command line itself.

``wire`` has the structs that the API speaks in; the service imports them from here.
"""
