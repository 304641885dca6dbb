"""Bounds for everything that a peer sends: bytes, time, and where it may lead.

``stream`` bounds what is read from one socket, ``http_client`` puts that under the
standard library's HTTP client, ``http_session`` under a ``requests`` session.
What an answer means is for the callers.
"""
