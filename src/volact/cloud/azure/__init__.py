"""Microsoft Azure: its declaration, and its API over the transport and credentials of its SDK.

``declaration`` is what volact reads at its start; ``account`` and all that it
imports come with the first call.  The SDK is an extra
(``pip install 'volact[azure]'``).  What is generic about clouds is in the
folder above.
"""
