"""The page that console_widgets.py measures: a notebook's cell, run by Voilà's kernel."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import ipywidgets

from allotment_widgets import (
    Action,
    Chart,
    Column,
    Grid,
    Look,
    Palette,
    Plot,
    PlotGrid,
    Series,
    State,
)

SERVERS, DEVICES, CHANGED, POINTS = 10_000, 1_000, 100, 288
GROUPS = ("vision", "nlp", "robotics", "speech", "genomics", "climate")
PROFILES = ("PyTorch, one A100", "PyTorch, four H100", "Data science")
STATES = {
    "running": State("Running", "ok"),
    "idle": State("Idle", "warn"),
    "starting": State("Starting", "info"),
    "failed": State("Failed", "bad"),
}
draw = random.Random(7)  # noqa: S311 - no secret: the same rows in every round
now = datetime.now(UTC)
palette = Palette(GROUPS)


def plots_of(number: int, group: str) -> list[Plot]:
    """The devices of one server."""
    return [
        Plot(
            id=f"gpu-{number}-{each}",
            title=f"dgx-{number % 125} gpu-{each}",
            state="held",
            colour=palette.colour(group),
        )
        for each in range(draw.choice((1, 1, 1, 2, 4)))
    ]


def server(number: int) -> dict[str, object]:
    """One row of the grid."""
    group = draw.choice(GROUPS)
    return {
        "id": f"person-{number}/server-{number}",
        "user": f"person-{number}",
        "name": f"server-{number}",
        "group": group,
        "pool": draw.choice(("a100", "h100", "default")),
        "profile": draw.choice(PROFILES),
        "devices": plots_of(number, group),
        "use": draw.randint(0, 100),
        "memory": draw.randint(0, 80 * 2**30),
        "since": now - timedelta(seconds=draw.randint(0, 400_000)),
        "cost": Decimal(draw.randint(0, 200_000)) / 100,
        "held": (draw.randint(0, 5), 5),
        "state": draw.choice(tuple(STATES)),
    }


def device(number: int) -> Plot:
    """One square."""
    group = draw.choice(GROUPS)
    state = draw.choice(("held", "held", "held", "idle", "free"))
    return Plot(
        id=f"gpu-{number}",
        title=f"dgx-{number // 8} gpu-{number % 8}",
        state=state,
        section=f"dgx-{number // 8}",
        group="" if state == "free" else group,
        colour=0 if state == "free" else palette.colour(group),
    )


rows = [server(number) for number in range(SERVERS)]
grid = Grid(
    [
        Column("user", "User"),
        Column("name", "Server"),
        Column("group", "Group"),
        Column("pool", "Pool"),
        Column("profile", "Profile"),
        Column("devices", "Devices", kind="devices"),
        Column("use", "Use", kind="percent"),
        Column("memory", "Memory", kind="bytes"),
        Column("since", "Since", kind="since"),
        Column("cost", "Cost", kind="money", unit="€"),
        Column("held", "Held", kind="meter"),
        Column("state", "State", kind="state", states=STATES),
    ],
    title="Servers",
    noun=("server", "servers"),
    actions=[Action("stop", "Stop…", many="Stop {n}…", tone="risk")],
    row_tone="state",
    sort=[("since", "descending")],
)
grid.replace(rows)
plots = PlotGrid(title="Devices")
plots.replace([device(number) for number in range(DEVICES)])
chart = Chart([Series("held", "Held", kind="area")], title="Held, 24 hours", unit="devices")
chart.replace(
    [now - timedelta(minutes=5 * (POINTS - place)) for place in range(POINTS)],
    {"held": [draw.randint(20, 48) for _ in range(POINTS)]},
)
change = ipywidgets.Button(description="Change 100 rows")
said = ipywidgets.Label()
times = 0


def changed(_button: object) -> None:
    """What a poll of the control plane brings: a hundred servers have moved on."""
    global times  # noqa: PLW0603 - a notebook's cell has no better place
    times += 1
    grid.update(
        server(number) | {"devices": rows[number]["devices"]}
        for number in draw.sample(range(SERVERS), CHANGED)
    )
    said.value = f"changed {times} times"


change.on_click(changed)
page = ipywidgets.VBox([Look(), ipywidgets.HBox([change, said]), grid, chart, plots])
_ = page.add_class("allotment")
display(page)  # type: ignore[name-defined]  # noqa: F821 - IPython's
