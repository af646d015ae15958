"""What tests of sources share: a door that leads to the real parts on loopback, and one that does not."""

from ipaddress import ip_network

import pytest

from allotment.data.door import Door


@pytest.fixture
def loopback() -> Door:
    """A door through which this machine's own servers are reached."""
    return Door(networks=(ip_network("127.0.0.0/8"),))
