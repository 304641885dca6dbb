"""Alibaba Cloud's API as the lab has it: signed requests, Cloud Assistant, instances, images.

It is as strict as the real one where that is documented: signatures, limits,
paging, calls for all instances or none.  What it runs scripts on are the lab's
own servers.
"""
