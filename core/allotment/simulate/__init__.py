"""Replays: what would have happened under another policy, by the rules that decide every day."""

from allotment.model.simulation import (
    PoolPlan,
    PoolResult,
    ProfilePlan,
    Result,
    ShareInPlan,
    SimulationPolicy,
    Waits,
)
from allotment.simulate.playing import replay
from allotment.simulate.policy import read_policy
from allotment.simulate.trace import Job, TraceInvalid, parse_trace, read_trace

__all__ = [
    "Job",
    "PoolPlan",
    "PoolResult",
    "ProfilePlan",
    "Result",
    "ShareInPlan",
    "SimulationPolicy",
    "TraceInvalid",
    "Waits",
    "parse_trace",
    "read_policy",
    "read_trace",
    "replay",
]
