"""Instance types through the API, the client and the command line."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from allotment.cli import app
from allotment.client import AllotmentClient
from allotment.inventory.aws import AccountReading, AwsAway
from allotment.model.instance_types import ADDRESSES, QuotaReading
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.people import Permission
from allotment.model.refusals import NotFound, NotPermitted, Refusal, RevisionStale
from allotment.record import claims, people, quotas, roles, storage
from allotment.settings.schema import Aws
from allotment.work.cloud import CloudLimits

pytestmark = pytest.mark.parametrize("store", ["sqlite"])
G_AND_VT = "L-DB2E81BA"


class Account:
    """What an account answers, as a test says it."""

    def __init__(self) -> None:
        self.away = ""
        self.limit = 96

    def read(self, types: Iterable[str], _codes: Iterable[str]) -> AccountReading:
        if self.away:
            raise AwsAway(self.away)
        known = {name: 4 for name in types if name == "g5.xlarge"}
        readings = (
            QuotaReading(G_AND_VT, "Running On-Demand G and VT instances", self.limit, 40),
            QuotaReading(ADDRESSES, "EC2-VPC Elastic IPs", 5, 4),
        )
        return AccountReading(readings, known, dict.fromkeys(known, G_AND_VT))


@pytest.fixture
def account(lab: Any, api: Any) -> Account:
    """An account that the settings name."""
    account = Account()
    cloud = CloudLimits(lab.record, lambda: Aws(region="eu-central-1"), lambda *_: account)  # type: ignore[arg-type, return-value]  # answers as an account does
    object.__setattr__(api.plane, "cloud", cloud)
    return account


@pytest.fixture
def olga(api: Any, lab: Any) -> AllotmentClient:
    lab.profile("small", instance_type="g5.xlarge")
    client: AllotmentClient = api.client("olga+")
    return client


@pytest.mark.promise("TYPE-1", "PROFILE-5")
def test_an_instance_type_is_made_changed_and_deleted(olga: AllotmentClient, lab: Any) -> None:
    lab.profile("other", instance_type="p5.48xlarge")
    made = olga.instance_types.create("g5.xlarge", title="One A10G", price="1.258", limit=5)
    lab.granted("bob", "small")

    found = olga.instance_types.get("g5.xlarge")
    assert (found.held, found.most, found.percent, found.source) == (1, 5, 20, "typed in")
    assert (found.price, found.profiles) == (Decimal("1.258"), ("small",))
    with pytest.raises(RevisionStale):
        olga.instance_types.edit("g5.xlarge", revision=made.revision + 1, limit=2)
    changed = olga.instance_types.edit("g5.xlarge", revision=made.revision, limit=1)
    assert changed.title == "One A10G"
    assert "not offered now" in changed.warning
    assert olga.instance_types.edit("g5.xlarge", revision=2, limit=None).most is None
    with pytest.raises(Refusal, match="cannot be deleted"):
        olga.instance_types.delete("g5.xlarge", revision=3)
    assert "p5.48xlarge" in olga.instance_types.all().warnings[0]
    olga.instance_types.create("t3.micro")
    olga.instance_types.delete("t3.micro", revision=1)
    assert [one.name for one in olga.instance_types.all().items] == ["g5.xlarge"]


@pytest.mark.promise("TYPE-2")
def test_at_its_limit_a_type_vanishes_and_operators_are_told_why(
    olga: AllotmentClient, api: Any, lab: Any
) -> None:
    olga.instance_types.create("g5.xlarge", limit=1, price="2.5")
    bob = api.client("bob")
    assert bob.profiles.get("small").price == Decimal("2.5")
    lab.granted("ann", "small")

    assert "small" not in [one.name for one in bob.profiles.all().items]
    with pytest.raises(NotFound):
        bob.profiles.get("small")
    explained = olga.explain("bob", "small")
    assert [one.rule for one in explained.reasons] == ["type.limit"]
    assert olga.profiles.get("small").unavailable.startswith("All instances of the type")
    assert [one.message for one in olga.overview().alerts if one.kind == "type"] == [
        "1 of 1 instances of g5.xlarge are taken (typed in): profiles of this type are not offered now."
    ]


@pytest.mark.promise("PROFILE-5")
def test_revoking_a_type_disables_it_and_stops_who_holds_it(
    olga: AllotmentClient, api: Any, lab: Any
) -> None:
    olga.instance_types.create("g5.xlarge")
    for person, profile in (("ann", "small"), ("bob", "cpu")):
        claims.mark_running(lab.record, lab.granted(person, profile, "train"), lab.now)
    assert olga.servers.get("hub~ann~train").instance_type == "g5.xlarge"

    revoked = olga.instance_types.revoke("g5.xlarge", "Too dear.")

    assert not revoked.instance_type.enabled
    assert [one.server for one in revoked.outcomes] == ["hub~ann~train"]
    assert api.hub.commands() == [("DELETE", "/users/ann/servers/train")]
    assert olga.servers.get("hub~ann~train").stop_reason == "Too dear."


@pytest.mark.promise("USER-8")
def test_who_may_change_profiles_may_not_raise_the_limit_of_a_type(
    olga: AllotmentClient, api: Any, lab: Any
) -> None:
    olga.instance_types.create("g5.xlarge", limit=1)
    with lab.write() as writing:
        roles.put(writing, "maker", {Permission.MANAGE_PROFILES, Permission.SEE_ALL})
        people.onboard(writing, ["mia"], None, "maker")
    api.hub.give("mia+", "mia", "access:services!service=allotment", "custom:allotment:operate")
    maker = api.client("mia+").instance_types
    assert maker.edit("g5.xlarge", revision=1, price="3").price == 3
    with pytest.raises(NotPermitted):
        maker.edit("g5.xlarge", revision=2, limit=9)
    with pytest.raises(NotPermitted):
        maker.create("p5.48xlarge")


@pytest.mark.promise("TYPE-1", "TYPE-3")
def test_the_accounts_quotas_and_addresses_are_read_on_demand(
    olga: AllotmentClient, account: Account, lab: Any
) -> None:
    assert account.limit == 96
    olga.instance_types.create("g5.xlarge")
    lab.granted("bob", "small")

    found = olga.instance_types.read()

    (of_type,) = found.items
    assert (of_type.vcpus, of_type.quota, of_type.most) == (4, G_AND_VT, 24)
    addresses, vcpus = found.quotas
    assert (addresses.used, addresses.value, addresses.held) == (4, 5, 1)
    assert addresses.warning == (
        "EC2-VPC Elastic IPs: the account uses 4 of 5 addresses in eu-central-1."
    )
    assert (vcpus.used, vcpus.value, vcpus.held, vcpus.warning) == (40, 96, 4, "")
    assert found.region == "eu-central-1"


@pytest.mark.promise("TYPE-3")
def test_more_user_servers_than_addresses_are_warned_of(
    olga: AllotmentClient, account: Account, lab: Any
) -> None:
    assert account.away == ""
    olga.instance_types.create("g5.xlarge")
    for number in range(6):
        lab.granted("bob", "small", f"s{number}")
    assert olga.instance_types.read().warnings == (
        (
            "6 user servers run on instances, and the account may have 5 Elastic IP addresses in "
            "eu-central-1: not each can have one."
        ),
    )


@pytest.mark.promise("TYPE-1")
def test_while_the_account_is_away_the_last_reading_stays_and_says_so(
    olga: AllotmentClient, account: Account
) -> None:
    olga.instance_types.create("g5.xlarge")
    before = olga.instance_types.read()
    account.away = "EndpointConnectionError: nobody answers"
    found = olga.instance_types.read()
    assert [one.value for one in found.quotas] == [one.value for one in before.quotas]
    assert [one.read_at for one in found.quotas] == [one.read_at for one in before.quotas]
    assert found.items[0].most == 24
    assert {one.problem for one in found.quotas} == {account.away}
    (alert,) = (one for one in olga.overview().alerts if one.kind == "type")
    assert "could not be read: EndpointConnectionError" in alert.message


@pytest.mark.promise("TYPE-1")
def test_quotas_are_forgotten_once_no_account_is_configured(api: Any, lab: Any) -> None:
    with lab.write() as writing:
        quotas.observe(writing, "eu-central-1", [QuotaReading(ADDRESSES, "Addresses", 5, 1)])
    assert "forgotten" in api.plane.cloud.read(lab.now)
    assert api.client("olga+").instance_types.all().quotas == ()


@pytest.mark.promise("LIMIT-1")
def test_limits_of_instances_and_storage_say_what_is_used_and_where_they_come_from(
    olga: AllotmentClient, api: Any, lab: Any
) -> None:
    olga.instance_types.create("g5.xlarge")
    lab.granted("bob", "small")
    olga.limits.put(LimitScope.PLATFORM, "", LimitKind.STORAGE, 10)
    olga.limits.put(LimitScope.GROUP, "vision", LimitKind.INSTANCES, 2)
    with lab.write() as writing:
        storage.measured(writing, "hub", "bob", (3 << 30) + 1, complete=True)
    found = {one.kind: one for one in api.client("bob").me().limits}
    used = found[LimitKind.STORAGE]
    assert (used.used, used.value, used.source) == (4, 10, "the platform's default")
    instances = found[LimitKind.INSTANCES]
    assert (instances.used, instances.value, instances.source) == (1, 2, "group vision")


@pytest.mark.promise("TYPE-1", "PROFILE-5")
def test_the_command_line_makes_shows_changes_revokes_and_deletes_types(
    olga: AllotmentClient, api: Any, lab: Any, account: Account
) -> None:
    environment = {"ALLOTMENT_API_URL": api.url, "ALLOTMENT_TOKEN": "olga+"}

    def run(*words: str, status: int = 0) -> str:
        result = CliRunner().invoke(app, list(words), env=environment)
        assert result.exit_code == status, result.output
        return result.output

    assert "no limit" in run("type", "g5.xlarge", "--price", "1.258")
    assert "0 of 2 used" in run("type", "g5.xlarge", "--limit", "2")
    lab.granted("bob", "small", "train")
    shown = run("types", "--read")
    assert "g5.xlarge            1.258     1      2  typed in  enabled  small" in shown
    assert "EC2-VPC Elastic IPs" in shown
    account.away = "nobody answers"
    assert "Not read now: nobody answers" in run("types", "--read")
    assert "--yes" in run("type-revoke", "g5.xlarge", "--reason", "Too dear.", status=2)
    assert "disabled" in run("type-revoke", "g5.xlarge", "--reason", "Too dear.", "--yes")
    assert not olga.instance_types.get("g5.xlarge").enabled
    run("type-delete", "g5.xlarge", status=1)
    run("type", "t3.micro", "--limit", "none")
    assert "deleted" in run("type-delete", "t3.micro")
    assert "no limit: give a whole number" in run("type", "g5.xlarge", "--limit", "x", status=2)
