"""A small and strict cmd.exe: the batch language, and the programs it starts.

What cmd.exe would refuse is refused in its words; what the lab does not model
is a LabError, never a silent success.
"""
