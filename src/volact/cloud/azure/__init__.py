"""Microsoft Azure: its declaration, and its API over the transport and credentials of its SDK."""
