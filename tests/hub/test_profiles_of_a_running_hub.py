"""Files of profiles count in a hub that runs, also while no control plane does."""

from __future__ import annotations

import pytest

from allotment.record import profiles
from hubs import until
from page_hubs import PageHub


@pytest.mark.promise("PROFILE-2")
def test_a_new_file_is_offered_without_a_restart_and_without_a_control_plane(
    page_hub: PageHub,
) -> None:
    browser = page_hub.signed_in("dan")
    file = page_hub.folder / "profiles" / "brand-new.yaml"

    file.write_text("title: Brand new\n")
    until(lambda: "Brand new" in browser.get("/spawn").text, "the new profile", 20)

    file.write_text("titel: Newer\n")
    until(
        lambda: "Brand new" in browser.get("/spawn").text and _problem(page_hub), "it is seen", 20
    )

    file.unlink()
    until(lambda: "Brand new" not in browser.get("/spawn").text, "its withdrawal", 20)


def _problem(hub: PageHub) -> str:
    """What is wrong with the file, while the last good version is offered."""
    with hub.record.reading() as reading:
        return profiles.get(reading, "brand-new").problem
