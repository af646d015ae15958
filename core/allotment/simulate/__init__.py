"""Replays: what would have happened under another policy, by the rules that decide every day."""

from allotment.simulate.policy import PoolPlan, ShareInPlan, SimulationPolicy, read_policy
from allotment.simulate.replay import replay
from allotment.simulate.results import PoolResult, Result, Waits
from allotment.simulate.trace import Job, TraceInvalid, read_trace

__all__ = [
    "Job",
    "PoolPlan",
    "PoolResult",
    "Result",
    "ShareInPlan",
    "SimulationPolicy",
    "TraceInvalid",
    "Waits",
    "read_policy",
    "read_trace",
    "replay",
]
