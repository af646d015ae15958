"""Device plots on the wire, and the colours of groups."""

from __future__ import annotations

from typing import Any

import pytest

from allotment_widgets import Palette, Plot, PlotGrid

PLOTS = [
    Plot(
        id="gpu-0",
        title="dgx-1 gpu-0",
        state="held",
        section="dgx-1",
        group="vision",
        colour=1,
        holder="bob",
    ),
    Plot(id="gpu-1", title="dgx-1 gpu-1", section="dgx-1"),
]


@pytest.fixture
def plots(wire: Any) -> PlotGrid:
    plots = PlotGrid(title="Devices")
    wire.say(plots, kind="ready")
    plots.replace(PLOTS)
    return plots


def test_a_device_travels_with_its_words(wire: Any, plots: PlotGrid) -> None:
    row = wire.last(plots).rows()["gpu-0"]
    assert (row["title"], row["state"], row["group"], row["holder"], row["colour"]) == (
        "dgx-1 gpu-0",
        "held",
        "vision",
        "bob",
        1,
    )


def test_a_device_that_changes_travels_alone(wire: Any, plots: PlotGrid) -> None:
    plots.replace(
        [PLOTS[0], Plot(id="gpu-1", title="dgx-1 gpu-1", section="dgx-1", state="unhealthy")]
    )
    assert wire.last(plots).rows() == {"gpu-1": {"state": "unhealthy"}}


def test_a_device_that_vanishes_is_no_longer_selected(
    wire: Any, plots: PlotGrid, heard: Any
) -> None:
    wire.say(plots, kind="selection", ids=["gpu-0", "gpu-1"])
    plots.on_select(heard)
    plots.update([], removed_ids=["gpu-1"])
    assert heard.calls == [(("gpu-0",),)]


def test_a_group_keeps_its_colour_when_others_come() -> None:
    palette = Palette(["vision", "nlp"])
    before = palette.colour("vision")
    palette.colour("audio")
    assert palette.colour("vision") == before


def test_the_same_groups_have_the_same_colours_in_every_console() -> None:
    assert Palette(["vision", "nlp"]).colour("vision") == Palette(["nlp", "vision"]).colour(
        "vision"
    )


def test_more_groups_than_colours_share_them() -> None:
    palette = Palette(f"group-{number:02}" for number in range(25))
    assert {palette.colour(f"group-{number:02}") for number in range(25)} == set(range(1, 11))


def test_nobody_is_grey() -> None:
    assert Palette().colour("") == 0


def test_a_colour_outside_the_palette_is_refused() -> None:
    with pytest.raises(ValueError, match="colour 11 is not in 0 to 10"):
        Plot(id="a", title="a", colour=11)
