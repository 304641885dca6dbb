"""Trouble on the line to simulated servers: lines that break, hang, lie or crawl.

``kinds`` lists what there is, ``gate`` is between a client and a server and
does it to the bytes, ``watch`` finds the stages of SSH that are in clear.
What is wrong with a server itself is ``lab/faults``.
"""

from volact_lab.trouble.gate import Gate
from volact_lab.trouble.kinds import Act, Stage, Trouble

__all__ = ["Act", "Gate", "Stage", "Trouble"]
