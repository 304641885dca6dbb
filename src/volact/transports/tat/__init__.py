"""The agent through TAT, Tencent's run-command: no connection to the server at all.

One call starts a script on up to 200 instances, so servers are gathered for a
moment and those that get the same bytes are asked together (``region``).
What a task's status means is in ``outcome``; the API itself is
``volact.cloud.tencent``'s.
"""
