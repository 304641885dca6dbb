"""Runs by schedule: when (``rules``), kept in the database, started once by one process."""
