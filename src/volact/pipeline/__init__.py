"""One server, from the first probe to the verdict.

    probe -> facts -> diagnose -> findings -> plan -> steps -> apply
          -> facts again -> diagnose again -> verify -> verdict

A healthy server costs one execution of the agent, a repaired one two.  Findings and plans
are made by ``volact.core``, connections by ``volact.transports``.  Many servers are
``volact.fleet``'s.
"""

from volact.pipeline.job import ActivationSlot, Job, Mode, Notify, Outcome, Phase, activation_host
from volact.pipeline.retry import Retry
from volact.pipeline.rows import row_without_result
from volact.pipeline.run import apply_one, examine_one, judge_facts, read_one, run_one
from volact.pipeline.run_recorder import NO_RECORDER, RunRecorder

__all__ = [
    "NO_RECORDER",
    "ActivationSlot",
    "Job",
    "Mode",
    "Notify",
    "Outcome",
    "Phase",
    "Retry",
    "RunRecorder",
    "activation_host",
    "apply_one",
    "examine_one",
    "judge_facts",
    "read_one",
    "row_without_result",
    "run_one",
]
