"""Azure's API as the lab has it: tokens for a principal, machines, managed run-commands.

It is as strict as the real one where that is documented: tokens, paths,
versions, limits, paging.  What it runs scripts on are the lab's own servers.
"""
