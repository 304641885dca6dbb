"""The tables of the service, beside those of the store in the same database."""
