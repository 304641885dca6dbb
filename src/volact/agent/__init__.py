"""The agent: what runs on a server, how it is made and how its answer is read.

``source`` holds its parts (a batch prologue and JScript), ``request`` what it
is asked, ``render`` joins the two into one file, ``answer`` reads what comes
back.  Getting the file there and running it is ``volact.transports``' work;
what the facts mean is ``volact.core``'s.
"""
