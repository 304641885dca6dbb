"""The service: console, API, sign-in, schedules and durable runs, for a team and its fleet.

An extra of the package (``volact[service]``).  What a run does to servers is
``volact.fleet``'s and ``volact.pipeline``'s; lists and digests are ``volact.queries``'s.
"""
