"""Alibaba Cloud: its declaration, and its API through its own SDK.

``declaration`` is what volact reads at its start; ``account`` and all that it
imports come with the first call.  The SDK is an extra
(``pip install 'volact[alibaba]'``).  What is generic about clouds is in the
folder above.
"""
