"""Who may do what, as truth tables."""

import pytest

from allotment.model.people import BUILT_IN_ROLES, Authority, BuiltInRole, Permission
from allotment.model.reasons import Rule
from allotment.rules.permission import (
    GRANTS,
    OPERATE_SCOPE,
    Action,
    Caller,
    Reach,
    Target,
    judge,
    judge_lead_limit,
    reach,
    sight,
)


def authority(
    person: str, role: str, *, groups: tuple[str, ...] = (), leads: tuple[str, ...] = ()
) -> Authority:
    return Authority(person, role, BUILT_IN_ROLES.get(role, frozenset()), groups, leads)


def caller(of: Authority, how_far: Reach = Reach.EVERYTHING) -> Caller:
    return Caller(of, how_far)


OPERATOR = authority("olga", BuiltInRole.OPERATOR)
READER = authority("rita", BuiltInRole.READER)
CUSTODIAN = authority("carl", BuiltInRole.DATA_CUSTODIAN)
LEAD = authority("lena", BuiltInRole.DATA_SCIENTIST, groups=("vision",), leads=("vision",))
SCIENTIST = authority("ana", BuiltInRole.DATA_SCIENTIST, groups=("vision",))
STRANGER = authority("nobody", "")

OWN_THING = Target(person="ana", groups=("vision",))
OTHER_GROUP = Target(person="bert", groups=("speech",))
WITHOUT_GROUP = Target(person="bert")

# Who may do it to a thing of ana's, which belongs to vision, that lena leads.
TABLE = {
    # action: (operator, reader, custodian, lead, ana herself, nobody)
    Action.SEE_THING: (1, 1, 0, 1, 1, 0),
    Action.SEE_PLATFORM: (1, 1, 0, 0, 0, 0),
    Action.CHANGE_POOLS: (1, 0, 0, 0, 0, 0),
    Action.CHANGE_GROUPS: (1, 0, 0, 0, 0, 0),
    Action.CHANGE_MEMBERS: (1, 0, 0, 1, 0, 0),
    Action.APPOINT_LEADS: (1, 0, 0, 0, 0, 0),
    Action.ONBOARD: (1, 0, 0, 0, 0, 0),
    Action.MOVE_PEOPLE: (1, 0, 0, 0, 0, 0),
    Action.REMOVE_PEOPLE: (1, 0, 0, 0, 0, 0),
    Action.RESET_PASSWORD: (1, 0, 0, 0, 0, 0),
    Action.SEE_ADDRESS: (1, 0, 0, 0, 1, 0),
    Action.CHANGE_ADDRESS: (1, 0, 0, 0, 1, 0),
    Action.ASSIGN_ROLE: (1, 0, 0, 0, 0, 0),
    Action.CHANGE_ROLES: (1, 0, 0, 0, 0, 0),
    Action.LIMIT_PERSON: (1, 0, 0, 1, 0, 0),
    Action.LIMIT_OTHERS: (1, 0, 0, 0, 0, 0),
    Action.BUDGET_PERSON: (1, 0, 0, 1, 0, 0),
    Action.BUDGET_OTHERS: (1, 0, 0, 0, 0, 0),
    Action.CHANGE_PROFILES: (1, 0, 0, 0, 0, 0),
    Action.REVOKE_PROFILE: (1, 0, 0, 0, 0, 0),
    Action.CHANGE_ACCOUNTS: (1, 0, 0, 0, 0, 0),
    Action.LET_GO: (1, 0, 0, 0, 0, 0),
    Action.KEEP_HOMES: (1, 0, 0, 0, 0, 0),
    Action.LINK_PEOPLE: (1, 0, 0, 0, 0, 0),
    Action.FORESEE_MAPPING: (1, 1, 0, 0, 0, 0),
    Action.CHANGE_SIGN_IN: (1, 0, 0, 0, 0, 0),
    Action.PROVISION: (1, 0, 0, 0, 0, 0),
    Action.CHANGE_TYPES: (1, 0, 0, 0, 0, 0),
    Action.LIMIT_TYPES: (1, 0, 0, 0, 0, 0),
    Action.REVOKE_TYPE: (1, 0, 0, 0, 0, 0),
    Action.CHANGE_SOURCE: (1, 0, 1, 1, 0, 0),
    Action.ACCEPT_PROOF: (1, 0, 1, 0, 0, 0),
    Action.LEND: (0, 0, 0, 0, 1, 0),
    Action.REGISTER_DATASET: (1, 0, 1, 0, 1, 0),
    Action.CHANGE_DATASET: (1, 0, 1, 1, 1, 0),
    Action.CHANGE_TARGETS: (1, 0, 1, 0, 0, 0),
    Action.REGISTER_MODEL: (0, 0, 0, 0, 1, 0),
    Action.CHANGE_MODEL: (1, 0, 1, 0, 1, 0),
    Action.SIMULATE: (1, 1, 0, 0, 0, 0),
    Action.STOP_SERVER: (1, 0, 0, 1, 1, 0),
    Action.EXTEND_SERVER: (1, 0, 0, 1, 1, 0),
    Action.WAIT: (0, 0, 0, 0, 1, 0),
    Action.CANCEL_TICKET: (1, 0, 0, 1, 1, 0),
    Action.MOVE_TICKET: (1, 0, 0, 0, 0, 0),
    Action.CHANGE_PLATFORM: (1, 0, 0, 0, 0, 0),
    Action.CONFIGURE: (1, 0, 0, 0, 0, 0),
}
PEOPLE = (OPERATOR, READER, CUSTODIAN, LEAD, SCIENTIST, STRANGER)
ROWS = [
    (action, person, bool(allowed))
    for action, row in TABLE.items()
    for person, allowed in zip(PEOPLE, row, strict=True)
]


def test_every_action_has_a_row_in_the_table() -> None:
    assert set(TABLE) == set(Action) == set(GRANTS)


@pytest.mark.promise("USER-4", "USER-5", "USER-7", "USER-8")
@pytest.mark.parametrize(("action", "person", "allowed"), ROWS)
def test_each_role_may_do_what_the_table_says(
    action: Action, person: Authority, allowed: bool
) -> None:
    assert (judge(caller(person), action, OWN_THING) is None) is allowed


@pytest.mark.promise("USER-4")
@pytest.mark.parametrize("target", [OTHER_GROUP, WITHOUT_GROUP])
@pytest.mark.parametrize("action", sorted(Action))
def test_a_lead_may_do_nothing_with_other_groups(action: Action, target: Target) -> None:
    assert judge(caller(LEAD), action, target) is not None


@pytest.mark.promise("USER-4")
def test_a_lead_sees_but_does_not_limit_a_member_who_is_also_in_another_group() -> None:
    both = Target(person="ana", groups=("speech", "vision"))

    assert judge(caller(LEAD), Action.SEE_THING, both) is None
    assert judge(caller(LEAD), Action.LIMIT_PERSON, both) is not None


@pytest.mark.promise("USER-7")
@pytest.mark.parametrize("action", sorted(Action))
def test_without_the_scope_an_operator_may_do_what_a_data_scientist_may(action: Action) -> None:
    operators_own = Target(person="olga")
    data_scientist = caller(authority("olga", BuiltInRole.DATA_SCIENTIST))

    for target in (OWN_THING, operators_own):
        reason = judge(caller(OPERATOR, Reach.OWN), action, target)
        assert (reason is None) is (judge(data_scientist, action, target) is None)


@pytest.mark.promise("USER-7")
@pytest.mark.parametrize("action", [action for action in Action if not GRANTS[action].reads])
@pytest.mark.parametrize("person", PEOPLE)
def test_a_cookie_writes_nothing_for_anybody(action: Action, person: Authority) -> None:
    own = Target(person=person.person, groups=person.groups)

    reason = judge(caller(person, Reach.READ_OWN), action, own)

    assert reason is not None
    assert "cookie" in reason.message


@pytest.mark.promise("USER-7")
def test_a_cookie_of_an_operator_reads_the_operators_own_data_only() -> None:
    visiting = caller(OPERATOR, Reach.READ_OWN)

    assert judge(visiting, Action.SEE_THING, Target(person="olga")) is None
    assert judge(visiting, Action.SEE_THING, OWN_THING) is not None
    assert judge(visiting, Action.SEE_PLATFORM) is not None


def test_a_refusal_for_want_of_the_scope_names_the_scope() -> None:
    reason = judge(caller(OPERATOR, Reach.OWN), Action.CHANGE_POOLS)

    assert reason is not None
    assert OPERATE_SCOPE in reason.remedy


def test_a_refusal_for_want_of_a_permission_names_the_permission() -> None:
    reason = judge(caller(SCIENTIST), Action.CHANGE_POOLS)

    assert reason is not None
    assert reason.rule is Rule.PERMISSION
    assert reason.details == ("manage-pools",)


ROLE_MAKER = Authority("mia", "role-maker", frozenset({Permission.MANAGE_ROLES}), (), ())
PEOPLE_KEEPER = Authority("pia", "people-keeper", frozenset({Permission.MANAGE_PEOPLE}), (), ())


@pytest.mark.promise("USER-8")
@pytest.mark.parametrize(
    ("person", "action"),
    [
        (ROLE_MAKER, Action.ASSIGN_ROLE),
        (ROLE_MAKER, Action.CHANGE_ROLES),
        (PEOPLE_KEEPER, Action.RESET_PASSWORD),
        (PEOPLE_KEEPER, Action.REMOVE_PEOPLE),
    ],
)
def test_nobody_gives_takes_or_takes_over_permissions_that_they_lack(
    person: Authority, action: Action
) -> None:
    harmless = Target(person="ana")
    operator = Target(person="olga", touches=frozenset(Permission))

    assert judge(caller(person), action, harmless) is None
    assert judge(caller(person), action, operator) is not None


# scopes, cookie, whose server's token it is: reach
REACHES = [
    ((OPERATE_SCOPE,), False, None, Reach.EVERYTHING),
    ((f"{OPERATE_SCOPE}!user=ana",), False, None, Reach.EVERYTHING),
    ((f"{OPERATE_SCOPE}!user=bert",), False, None, Reach.OWN),
    (("access:services", "users"), False, None, Reach.OWN),
    ((), False, None, Reach.OWN),
    ((OPERATE_SCOPE,), False, "console", Reach.EVERYTHING),
    ((), False, "console", Reach.OWN),
    ((OPERATE_SCOPE,), False, "", Reach.OWN),
    ((OPERATE_SCOPE,), False, "train", Reach.OWN),
    ((OPERATE_SCOPE,), True, None, Reach.READ_OWN),
    ((), True, None, Reach.READ_OWN),
]


@pytest.mark.promise("USER-7")
@pytest.mark.parametrize(("scopes", "cookie", "server", "expected"), REACHES)
def test_how_far_a_token_reaches(
    scopes: tuple[str, ...], cookie: bool, server: str | None, expected: Reach
) -> None:
    assert reach(scopes, person="ana", cookie=cookie, server=server) is expected


def test_sight_of_a_data_scientist_is_own_things_and_own_groups_counts() -> None:
    seen = sight(caller(SCIENTIST))

    assert seen.sees("ana", ("vision",))
    assert not seen.sees("bert", ("vision",))
    assert seen.sees_group("vision")
    assert not seen.sees_members("vision")
    assert not seen.sees_group("speech")


@pytest.mark.promise("USER-4")
def test_sight_of_a_lead_is_the_led_groups_and_nothing_of_others() -> None:
    seen = sight(caller(LEAD))

    assert seen.sees("ana", ("vision",))
    assert seen.sees_members("vision")
    assert not seen.sees("bert", ("speech",))
    assert not seen.sees("bert", (None,))


def test_sight_of_a_reader_is_everything() -> None:
    assert sight(caller(READER)).sees("bert", ("speech",))


@pytest.mark.promise("USER-7")
@pytest.mark.parametrize("how_far", [Reach.OWN, Reach.READ_OWN])
def test_sight_through_a_lesser_token_is_own_things(how_far: Reach) -> None:
    for person in (OPERATOR, READER, LEAD):
        seen = sight(caller(person, how_far))
        assert not seen.everything
        assert seen.leads == ()


@pytest.mark.promise("USER-4")
@pytest.mark.parametrize(
    ("value", "own", "allowed"),
    [(2, 2, True), (3, 2, False), (None, 2, True), (9, None, True), (0, 0, True)],
)
def test_a_lead_limits_members_within_the_groups_own(
    value: int | None, own: int | None, allowed: bool
) -> None:
    assert (judge_lead_limit("devices at once", value, own) is None) is allowed
