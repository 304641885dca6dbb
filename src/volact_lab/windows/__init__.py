"""The simulated Windows: registry, files, services, clock, events, network, licensing.

Plain Python objects with the rules of Windows.  How a script or a person
reaches them (WMI, COM, programs, SSH) is in the folders next to this one.
"""
