"""The only way to call the control plane's API from Python.

``AllotmentClient.from_environment()`` works in every server; elsewhere give the API's address and
a token from the hub's token page. All calls block; every answer is a frozen document of
:mod:`allotment.model.documents`. A refusal is raised with all its reasons.
"""

from allotment.client.connection import ANY, ControlPlaneAway, Revision
from allotment.client.entry import AllotmentClient
from allotment.client.groups import NewShare

__all__ = ["ANY", "AllotmentClient", "ControlPlaneAway", "NewShare", "Revision"]
