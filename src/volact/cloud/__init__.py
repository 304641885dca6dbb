"""Clouds' own APIs, one folder for each cloud, behind one seam.

``base`` is the seam: what a cloud declares of itself, and the protocols for running a
command on many instances, listing servers and the account.  ``registry`` finds the
folders, ``account`` opens what settings name.  ``calls``, ``batches``, ``failures``,
``ends``, ``endpoint`` and ``key_files`` are for any cloud.  How equal scripts are gathered
and their results awaited is in ``volact.transports.run_command``; what a list of servers
becomes is in ``volact.inventory``.

Of a folder, ``declaration`` is what volact reads at its start; ``account`` and all that it
imports come with the first call.  The SDK is an extra (``pip install 'volact[aws]'``).
"""
