"""Examples of every document and body, for the description: one small platform, told throughout."""

from allotment.api.examples.answers import ANSWERS
from allotment.api.examples.bodies import BODIES

__all__ = ["ANSWERS", "BODIES"]
