"""The view of one user: role, group, lead, limits and where each comes from, what is held, a new password."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

import ipywidgets

from allotment.model.documents import LimitUse, ResetLink, Server, User
from allotment.model.limits import LimitKind, LimitScope
from allotment.model.people import Permission
from allotment.model.reasons import Reason, Rule
from allotment.model.refusals import AllotmentError, Refusal
from allotment_widgets.asking import Asking, Slot
from allotment_widgets.desk import Desk
from allotment_widgets.fields import button, choice_field, put, row, text_field, tick_field, words
from allotment_widgets.foreseeing import Foreseen, together
from allotment_widgets.panels.user_forms import (
    CHANGED,
    NO_GROUP,
    group_options,
    moving_lines,
    role_options,
)
from allotment_widgets.picture import Topic
from allotment_widgets.sentences import counted_as, devices_words, problem_html, server_name
from allotment_widgets.server_rows import STATES, is_active


async def configure(desk: Desk, slot: Slot, name: str) -> None:
    """Read a person, with the limits that bind, and open the view."""
    try:
        user = await desk.call(desk.client.users.get, name)
    except AllotmentError as error:
        desk.say(str(error), "bad")
        return
    Configuration(desk, slot, user).asking.open()


class Configuration:
    """The form for one user. Saving does, one after the other, what has been changed."""

    def __init__(self, desk: Desk, slot: Slot, user: User) -> None:
        self._desk, self._user = desk, user
        about = desk.picture.about
        self._strict = about is None or about.mode == "strict"
        groups = list(dict.fromkeys(each.group for each in user.memberships))
        self._groups = groups
        self._group_before = groups[0] if self._strict and groups else NO_GROUP
        self._lead_before = any(each.lead for each in user.memberships)
        self._role = choice_field("Role", role_options(desk), user.role)
        nothing = "none" if self._strict else "join no other"
        self._group = choice_field(
            "Group" if self._strict else "Join a group",
            group_options(desk.picture, nothing),
            self._group_before,
        )
        self._lead = tick_field("Leads this group", value=self._lead_before)
        self._limits = {each.kind: _limit_field(each) for each in user.limits or ()}
        self._link = words("", "wide")
        self._held = words("", "wide")
        self.asking = self._form(slot)
        self.asking.refresh = self._show_held
        self._foreseen = Foreseen(desk, self.asking)
        self._show_held()
        self._refresh()

    def _form(self, slot: Slot) -> Asking:
        user, may = self._user, self._desk.may
        fields: list[Any] = [self._held]
        if may(Permission.MANAGE_ROLES):
            fields += [self._role]
        if may(Permission.MANAGE_PEOPLE):
            fields += [self._group]
        if may(Permission.MANAGE_ROLES) and self._strict:
            fields += [self._lead]
        fields += [words(_limits_html(user.limits or ()), "wide")]
        if may(Permission.MANAGE_LIMITS):
            fields += list(self._limits.values())
        if may(Permission.MANAGE_PEOPLE):
            fields += [self._reset_row()]
        changes = may(Permission.MANAGE_PEOPLE) or may(Permission.MANAGE_LIMITS)
        asking = Asking(
            self._desk,
            slot,
            f"{user.name}, {user.role}",
            confirm="Save",
            act=self._save if changes else None,
            fields=fields,
        )
        for field in (self._role, self._group, self._lead, *self._limits.values()):
            field.observe(lambda _: self._desk.backend.soon(self._refresh), "value")
        return asking

    def _show_held(self) -> None:
        """What the person holds now, once it has been read at all."""
        if Topic.SERVERS in self._desk.picture.known:
            put(self._held, _held_html(self._servers()))

    def _servers(self) -> list[Server]:
        servers = self._desk.picture.servers.values()
        return [each for each in servers if each.person == self._user.name and is_active(each)]

    def _reset_row(self) -> Any:
        make = button("Make a link for a new password")
        make.on_click(lambda _: self._desk.begin(self._make_link(make)))
        return row(make, self._link, kind="acts-row wide")

    async def _make_link(self, make: ipywidgets.Button) -> None:
        make.disabled = True
        try:
            link = await self._desk.call(self._desk.client.users.reset_link, self._user.name)
            put(self._link, _link_html(link))
        except AllotmentError as error:
            put(self._link, problem_html(error))
        finally:
            make.disabled = False

    def _refresh(self) -> None:
        lines = [line for line, _ in self._changes()]
        self.asking.enable(possible=bool(lines))
        asked = [
            (each.kind, _number(text))
            for each, text in self._changed_limits()
            if not text or _number(text) is not None
        ]
        calls, name = self._desk.client.limits, self._user.name
        self._foreseen.say(
            lines or ["Nothing is changed yet."],
            (lambda: together(calls.consequences(LimitScope.PERSON, name, *each) for each in asked))
            if asked
            else None,
        )

    def _changes(self) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
        """What has been changed: in a sentence, and the call that does it. In the order of doing."""
        return [
            *self._role_change(),
            *self._group_change(),
            *self._lead_change(),
            *self._limit_changes(),
        ]

    def _role_change(self) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
        user, role = self._user, self._role.value
        if role == user.role:
            return []
        users = self._desk.client.users
        line = f"{user.name} gets the role {role} (was {user.role}), from the next request on."
        return [
            (line, lambda: self._desk.call(users.set_role, user.name, role, revision=user.revision))
        ]

    def _group_change(self) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
        user, group = self._user, self._group.value
        client = self._desk.client
        if group == self._group_before or (not self._strict and group in self._groups):
            return []
        if not self._strict:
            line = f"{user.name} joins {group} as well."
            return [(line, lambda: self._desk.call(client.groups.put_member, group, user.name))]
        line = " ".join(moving_lines([user], group))
        return [(line, lambda: self._desk.call(client.users.move, user.name, group or None))]

    def _lead_change(self) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
        user, group, lead = self._user, self._group.value, self._lead.value
        before = self._lead_before and group == self._group_before
        if not self._strict or not group or lead == before:
            return []
        put = self._desk.client.groups.put_member
        verb = "leads" if lead else "no longer leads"
        line = f"{user.name} {verb} {group}."
        return [(line, lambda: self._desk.call(put, group, user.name, lead=lead))]

    def _limit_changes(self) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
        changes: list[tuple[str, Callable[[], Awaitable[object]]]] = []
        put, name = self._desk.client.limits.put, self._user.name
        for each, text in self._changed_limits():
            value = _number(text)
            line = (
                f"{name}: at most {value} {each.words}, of their own (now {_bound(each)})."
                if text
                else f"{name}: no limit of their own for {each.words}; the group's or the platform's binds."
            )
            changes.append((line, _limit_call(self._desk, put, name, each.kind, text)))
        return changes

    def _changed_limits(self) -> list[tuple[LimitUse, str]]:
        """Limits with what is written now; each kind once, whatever groups it is told for."""
        by_kind = {each.kind: each for each in self._user.limits or ()}
        written = [(each, self._limits[kind].value.strip()) for kind, each in by_kind.items()]
        return [(each, text) for each, text in written if text != _own_text(each)]

    async def _save(self) -> str:
        done: list[str] = []
        try:
            for line, change in self._changes():
                await change()
                done.append(line)
        except AllotmentError as error:
            self._desk.again(*CHANGED)
            if done and isinstance(error, Refusal):
                said = Reason(Rule.REQUEST, f"This was done: {' '.join(done)} The rest was not:")
                raise Refusal(said, *error.reasons) from error
            raise
        self._desk.again(*CHANGED)
        return " ".join(done)


def _limit_field(limit: LimitUse) -> ipywidgets.Text:
    return text_field(
        f"Own limit: {limit.words}",
        _own_text(limit),
        placeholder=f"none of their own: {_bound(limit)}",
    )


def _own_text(limit: LimitUse) -> str:
    return str(limit.value) if limit.scope is LimitScope.PERSON else ""


def _bound(limit: LimitUse) -> str:
    return "no limit" if limit.value is None else f"{limit.value}, {limit.source}"


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _limit_call(
    desk: Desk, put: Callable[..., object], name: str, kind: LimitKind, text: str
) -> Callable[[], Awaitable[object]]:
    async def call() -> object:
        value = _number(text)
        if text and value is None:
            message = f"{text!r} is no limit for {kind.words}."
            raise Refusal(Reason(Rule.REQUEST, message, remedy="Write a whole number, or nothing."))
        return await desk.call(put, LimitScope.PERSON, name, kind, value)

    return call


def _limits_html(limits: tuple[LimitUse, ...]) -> str:
    rows = "".join(
        f"<tr><td>{escape(each.words)}{escape(f' ({each.group})' if each.group else '')}</td>"
        f'<td class="num">{each.used}</td>'
        f'<td class="num">{"no limit" if each.value is None else each.value}</td>'
        f"<td>{escape(each.source)}</td></tr>"
        for each in limits
    )
    head = (
        "<tr><th>Limit</th><th class=num>Used</th><th class=num>Binds</th><th>Comes from</th></tr>"
    )
    return f"<h3>Limits</h3><table class=plain><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _held_html(servers: list[Server]) -> str:
    if not servers:
        return '<h3>Holds now</h3><p class="quiet">Nothing: no server runs.</p>'
    person = escape(servers[0].person)
    lines = "".join(
        f"<li>{escape(server_name(each))}: {escape(each.size_words)}, "
        f"{escape(STATES[each.state].word.lower())}"
        f"{escape(', ' + devices_words(each.devices) if each.devices else '')}</li>"
        for each in servers
    )
    devices = sum(len(each.devices) for each in servers)
    number = counted_as(len(servers), "server", "servers")
    link = f'<a href="#servers" data-go="servers" data-about="{person}">Open in Servers</a>'
    return f"<h3>Holds now</h3><p>{number}, {counted_as(devices, 'device', 'devices')}. {link}</p><ul>{lines}</ul>"


def _link_html(link: ResetLink) -> str:
    until = f"{link.expires_at:%d %b %H:%M} UTC"
    return (
        f'<div role="status"><p>Give {escape(link.person)} this link. It works once, until {until}, '
        f'and is shown only now:</p><code class="linkbox" tabindex="0">{escape(link.link)}</code></div>'
    )
