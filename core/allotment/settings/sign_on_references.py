"""What a sign-in section must hold for its kind of provider, said key by key."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from allotment.model.people import BUILT_IN_ROLES, BuiltInRole
from allotment.settings.entries import Entry, Wrong, names_of, operators_of, repeated
from allotment.settings.expectations import suggestion
from allotment.settings.sign_on import LOCAL, OF_EVERY_PROVIDER, VARIANTS, SignIn

CALLBACK_PATH = "/hub/oauth_callback"
_EVERYWHERE = frozenset({"kind", "operators"})


def sign_in(top: Entry) -> Iterator[Wrong]:
    """Everything that is wrong with how people sign in, beside the shape of each key."""
    section = top.inner("sign_in")
    kind = section.value.get("kind", LOCAL)
    yield from _keys(section, kind)
    yield from _groups(top, section)
    if kind not in VARIANTS:
        return
    yield from _shared_user(top, section)
    yield from _secret(section)
    yield from _addresses(section)
    yield from _somebody_runs_it(top, section)
    yield from repeated(section.texts("local"), "person")
    local = {name for _, name in section.texts("local")}
    for place, name in section.texts("operators"):
        if name in local:
            yield (
                place,
                f"{name!r} has a password by sign_in.local, and cannot come from the provider too",
            )


def _keys(section: Entry, kind: object) -> Iterator[Wrong]:
    """Keys that this kind does not have, and those that it needs and that are missing."""
    needed: tuple[str, ...] = ()
    if kind == LOCAL:
        allowed = _EVERYWHERE
    elif isinstance(kind, str) and kind in VARIANTS:
        variant = VARIANTS[kind]
        allowed = _EVERYWHERE | {*OF_EVERY_PROVIDER, *variant.needs, *variant.takes}
        needed = (*variant.needs, "client_id")
    else:
        return
    for key in section.value:
        if key not in allowed and key in SignIn.model_fields:
            yield (*section.place, key), f"is not a key of the kind {kind!r}"
    for key in needed:
        if key not in section.value:
            yield (*section.place, key), f"is missing; the kind {kind!r} needs it"


def _shared_user(top: Entry, section: Entry) -> Iterator[Wrong]:
    """A provider's tokens are kept where no notebook reads them, unless the settings say that all may."""
    apart = "kubernetes" in top.value or top.inner("servers").value.get("system_users") is True
    if not apart and section.value.get("accept_shared_user") is not True:
        yield (
            (*section.place, "accept_shared_user"),
            (
                "is missing: everybody's servers run under the hub's system user, so everybody who signs in could read "
                "the client's secret and the tokens that the provider gives for people. Set servers.system_users: true "
                "(a hub run as root), or say accept_shared_user: true where all of them may know these"
            ),
        )


def _secret(section: Entry) -> Iterator[Wrong]:
    held = [key for key in ("client_secret_file", "client_secret_variable") if key in section.value]
    if len(held) != 1:
        place = (*section.place, held[1]) if held else (*section.place, "client_secret_file")
        yield place, "expected client_secret_file or client_secret_variable, one of them"


def _addresses(section: Entry) -> Iterator[Wrong]:
    """Nothing that opens a way in goes over the network unencrypted."""
    for key in ("issuer", "callback"):
        address = section.text(key)
        if address is None:
            continue
        if not is_safe(address):
            yield (*section.place, key), "expected https://; http:// is for this very machine only"
        parts = urlsplit(address)
        if parts.query or parts.fragment or parts.username:
            yield (*section.place, key), "expected an address without a query, a fragment or a user"
        if key == "callback" and not parts.path.endswith(CALLBACK_PATH):
            yield (*section.place, key), f"expected an address that ends with {CALLBACK_PATH}"


def is_safe(address: str) -> bool:
    """Whether what is sent to an address cannot be read on the way: encrypted, or this machine's own."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return True
    try:
        return parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _somebody_runs_it(top: Entry, section: Entry) -> Iterator[Wrong]:
    by_group = any(
        entry.text("role") == BuiltInRole.OPERATOR for entry in section.entries("groups")
    )
    if not operators_of(top) and not by_group:
        yield (
            (*section.place, "operators"),
            (
                "is missing: name an operator, or map a group of the provider to the role 'operator'; "
                "else nobody could run the platform, or a stranger who comes first"
            ),
        )


def _groups(top: Entry, section: Entry) -> Iterator[Wrong]:
    yield from _repeated_rows(section)
    groups = {name for _, name in names_of(top, "groups")}
    roles = {*top.inner("roles").value, *BUILT_IN_ROLES}
    for entry in section.entries("groups"):
        group, role = entry.text("group"), entry.text("role")
        if (group is None) == (role is None):
            yield entry.place, "expected group or role, one of them"
        if group is not None and group not in groups:
            yield (
                (*entry.place, "group"),
                f"there is no group {group!r}; {suggestion(group, groups)}",
            )
        if role is not None and role not in roles:
            yield (*entry.place, "role"), f"there is no role {role!r}; {suggestion(role, roles)}"
        if role is not None and entry.value.get("lead") is True:
            yield (*entry.place, "lead"), "is of groups; a role has no leads"
    if section.value.get("groups") and section.value.get("kind") == "google":
        yield (*section.place, "groups"), "Google tells no groups when people sign in; list members"


def _repeated_rows(section: Entry) -> Iterator[Wrong]:
    seen: set[tuple[str | None, ...]] = set()
    for entry in section.entries("groups"):
        row = (entry.text("name"), entry.text("group"), entry.text("role"))
        if row in seen:
            yield entry.place, "is said twice"
        seen.add(row)
