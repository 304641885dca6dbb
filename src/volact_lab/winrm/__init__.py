"""WinRM in front of simulated servers: WS-Management over HTTP and HTTPS.

HTTP and logging in, SOAP, shells and their limits; what a command does is for
``volact_lab.cmd``.
"""
