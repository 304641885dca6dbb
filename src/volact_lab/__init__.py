"""A simulated fleet of Windows Servers that runs the real agent; never asked by a real one."""
