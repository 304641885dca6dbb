"""The engine: a run as a durable workflow over any number of worker processes.

DBOS keeps which batches ran (``workflows``); the tables of the service keep the state of a
run and of each of its servers (``progress``); what happens on a server is ``volact.fleet``'s.
"""
