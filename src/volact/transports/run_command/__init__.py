"""The agent through a cloud's run-command: no connection to the server at all.

Generic over ``volact.cloud.base``.  One call starts a script on many
instances, so servers are gathered for a moment and those that get the same
bytes are started together (``batcher``); their results are polled together
(``poller``).  How many go into a call, how often is polled and how much output
is kept, the cloud declares.
"""
