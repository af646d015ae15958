"""What SHOW GRANTS tells is understood, whatever names are in it, and nothing of a password is kept."""

import pytest

from allotment.data.kinds.mysql.grants import Grants, read_grants

HASH = "*D821809F681A40A6E379B50D0463EFAE20BDD122"


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("line", "writing", "place"),
    [
        ("GRANT USAGE ON *.* TO `u`@`%`", set(), "*.*"),
        (f"GRANT SELECT, PROCESS ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '{HASH}'", set(), "*.*"),
        ("GRANT ALL PRIVILEGES ON *.* TO `u`@`%`", {"ALL PRIVILEGES"}, "*.*"),
        ("GRANT SELECT, INSERT ON `shop`.* TO `u`@`%`", {"INSERT"}, "shop.*"),
        ("GRANT SELECT (`a`), UPDATE (`b`, `c`) ON `shop`.`t` TO `u`@`%`", {"UPDATE"}, "shop.t"),
        ("GRANT INSERT(a) ON `shop`.`t` TO `u`@`%`", None, ""),
        ("GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `u`@`%`", set(), "shop.p"),
        ("GRANT ALTER ROUTINE ON FUNCTION `shop`.`f` TO `u`@`%`", {"ALTER ROUTINE"}, "shop.f"),
        ("GRANT BACKUP_ADMIN,ROLE_ADMIN ON *.* TO `u`@`%`", {"BACKUP_ADMIN", "ROLE_ADMIN"}, "*.*"),
        ("GRANT DELETE ON `a`` ON ``b`.`t` TO `u`@`%`", {"DELETE"}, "a` ON `b.t"),
        ("GRANT DELETE ON `a`` TO ``b`.`c.d` TO 'u'@'%'", {"DELETE"}, "a` TO `b.c.d"),
        ("GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION", None, ""),
        ("something that a later version says", None, ""),
    ],
)
def test_a_line_tells_what_can_be_written_or_is_said_not_to_be_understood(
    line: str, writing: set[str] | None, place: str
) -> None:
    found = read_grants([line])

    assert found.strange == (1 if writing is None else 0)
    assert [one.writing for one in found.grants] == ([] if writing is None else [writing])
    assert [f"{one.database}.{one.thing}" for one in found.grants] == ([place] if place else [])
    assert HASH not in repr(found)


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("line", "roles"),
    [
        ("GRANT `reader` TO `u`@`%`", ("`reader`",)),
        ("GRANT `a`@`%`,`b ON c`@`%` TO `u`@`%` WITH ADMIN OPTION", ("`a`@`%`", "`b ON c`@`%`")),
        ("SET DEFAULT ROLE `reader` FOR `u`@`%`", ()),
        ("REVOKE INSERT ON `mysql`.* FROM `u`@`%`", ()),
    ],
)
def test_roles_are_told_from_privileges(line: str, roles: tuple[str, ...]) -> None:
    assert read_grants([line]) == Grants(roles=roles)


@pytest.mark.promise("DATA-2")
@pytest.mark.parametrize(
    ("line", "database", "may"),
    [
        ("GRANT SELECT ON `shop`.* TO `u`@`%` WITH GRANT OPTION", "shop", True),
        ("GRANT SELECT ON `sh\\_op`.* TO `u`@`%` WITH GRANT OPTION", "sh_op", True),
        ("GRANT SELECT ON `sh\\_op`.* TO `u`@`%` WITH GRANT OPTION", "shxop", False),
        ("GRANT SELECT ON `sh%`.* TO `u`@`%` WITH GRANT OPTION", "shop", True),
        ("GRANT ALL PRIVILEGES ON *.* TO `u`@`%` WITH GRANT OPTION", "shop", True),
        ("GRANT SELECT ON `shop`.* TO `u`@`%`", "shop", False),
        ("GRANT SELECT ON `shop`.`t` TO `u`@`%` WITH GRANT OPTION", "shop", False),
        ("GRANT INSERT ON `shop`.* TO `u`@`%` WITH GRANT OPTION", "shop", False),
    ],
)
def test_who_may_let_others_read_a_database(line: str, database: str, may: bool) -> None:
    assert read_grants([line]).may_grant_select(database) is may


@pytest.mark.promise("DATA-2")
def test_what_every_mariadb_grants_to_everybody_is_known_and_nothing_else() -> None:
    found = read_grants(
        [
            "GRANT SELECT, INSERT ON `test`.* TO PUBLIC",
            "GRANT SELECT, INSERT ON `test\\_%`.* TO PUBLIC",
            "GRANT INSERT ON `shop`.* TO PUBLIC",
            "GRANT INSERT ON `test`.* TO `u`@`%`",
        ]
    )

    assert [one.is_usual for one in found.grants] == [True, True, False, False]
