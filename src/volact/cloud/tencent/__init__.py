"""Tencent Cloud's API through its own SDK: keys, pacing, retries, errors.

Blocking calls go to a bounded number of threads.  Import from the modules:
the SDK is an extra (``pip install 'volact[tencent]'``) and not every command
needs it.
"""
