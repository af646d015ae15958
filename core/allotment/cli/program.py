"""The program ``allotment``: its commands, and what it says of itself."""

from __future__ import annotations

from importlib.metadata import version as installed_version

import typer

from allotment.cli import (
    addressing,
    backing_up,
    choosing,
    cleaning,
    configuring,
    cordoning,
    datasets,
    departments,
    doctor,
    extending,
    health,
    homes,
    keys,
    leaving,
    limiting,
    linking,
    models,
    money,
    nodes,
    passwords,
    planning,
    profiles,
    queue,
    reserving,
    seeing,
    service_accounts,
    sharing,
    signing_in,
    simulating,
    software,
    sources,
    stopping,
    types,
    versions,
)
from allotment.cli.ending import STATUSES, Told
from allotment.cli.options import Json
from allotment.cli.output import Output

app = typer.Typer(
    cls=Told,
    name="allotment",
    help="See and steer a platform: who may use which GPUs, and who does.",
    epilog=STATUSES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
seeing.add_to(app)
nodes.add_to(app)
health.add_to(app)
money.add_to(app)
stopping.add_to(app)
profiles.add_to(app)
types.add_to(app)
software.add_to(app)
extending.add_to(app)
sharing.add_to(app)
limiting.add_to(app)
simulating.add_to(app)
planning.add_to(app)
queue.add_to(app)
choosing.add_to(app)
reserving.add_to(app)
cordoning.add_to(app)
addressing.add_to(app)
leaving.add_to(app)
homes.add_to(app)
linking.add_to(app)
service_accounts.add_to(app)
departments.add_to(app)
sources.add_to(app)
datasets.add_to(app)
versions.add_to(app)
cleaning.add_to(app)
models.add_to(app)
configuring.add_to(app)
backing_up.add_to(app)
keys.add_to(app)
passwords.add_to(app)
signing_in.add_to(app)
doctor.add_to(app)


@app.command()
def version(as_json: Json = False) -> None:
    """Say which version this program is; `allotment status` tells the platform's."""
    out = Output(as_json=as_json)
    if as_json:
        out.document({"version": installed_version("allotment")})
    out.say(f"allotment {installed_version('allotment')}")


def main() -> None:
    """Run the program."""
    app()
