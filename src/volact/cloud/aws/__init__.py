"""Amazon Web Services: its declaration, and its API through botocore, the SDK below boto3.

``declaration`` is what volact reads at its start; ``account`` and all that it
imports come with the first call.  The SDK is an extra
(``pip install 'volact[aws]'``).  What is generic about clouds is in the folder
above.
"""
