"""One server from the first question to the verdict.

    probe -> facts -> diagnose -> findings -> plan -> steps -> apply
          -> facts again -> diagnose again -> verify -> verdict

A healthy server costs one execution, one to repair costs two.  What is wrong
and what to do is ``volact.core``'s; how to get there ``volact.transports``'.
Many servers are ``volact.fleet``'s.
"""

from volact.pipeline.again import Retry
from volact.pipeline.job import Job, Mode, Notify, Outcome, Phase
from volact.pipeline.record import NOBODY, Recorder
from volact.pipeline.rows import lost_row
from volact.pipeline.run import apply_one, examine_one, read_one, run_one
from volact.pipeline.turn import activation_host

__all__ = [
    "NOBODY",
    "Job",
    "Mode",
    "Notify",
    "Outcome",
    "Phase",
    "Recorder",
    "Retry",
    "activation_host",
    "apply_one",
    "examine_one",
    "lost_row",
    "read_one",
    "run_one",
]
