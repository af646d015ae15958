"""Software with its versions, and which servers run which, as documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from allotment.api.views.names import server_id
from allotment.model import documents
from allotment.model.allotments import Allotment
from allotment.model.profiles import Profile
from allotment.model.releases import Build, Line, Release, offered, promised
from allotment.record import Reading, allotments, profiles, releases
from allotment.rules.permission import Sight
from allotment.rules.updating import update_of

_Running = Mapping[Line, Sequence[tuple[str, Build]]]
"""Of each line the servers that run it: their ids, and what of it they run."""


def software_documents(reading: Reading, sight: Sight) -> list[documents.Software]:
    """The software of published profiles, with the servers that the caller may see."""
    published = [one for one in profiles.all_profiles(reading) if one.profile and not one.retired]
    running = _running(
        one for one in allotments.active(reading) if sight.sees(one.person, (one.group or "",))
    )
    known = releases.of_profiles(reading)
    return [
        document
        for one in published
        if one.profile is not None
        for document in _documents(one.profile, running, known)
    ]


def _running(active: Iterable[Allotment]) -> _Running:
    found: dict[Line, list[tuple[str, Build]]] = defaultdict(list)
    for one in active:
        line, build = promised(one.profile, one.terms)
        found[line].append((server_id(one.hub, one.person, one.server), build))
    return found


def _documents(
    profile: Profile, running: _Running, known: Mapping[Line, Sequence[Release]]
) -> Iterable[documents.Software]:
    titles = {one.name: one.title for one in profile.software}
    for line, (build, _notes, _by) in offered(profile).items():
        servers, those = running.get(line, ()), known.get(line, ())
        late = {one: update_of(line, runs, known) for one, runs in servers}
        dates = [one.by for one in late.values() if one is not None and one.by is not None]
        yield documents.Software(
            profile=profile.name,
            profile_title=profile.title,
            software=line.software,
            title=titles.get(line.software, profile.title),
            version=build.words,
            image=build.image,
            python_environment=build.python_environment,
            update_by=min(dates, default=those[0].update_by if those else None),
            current=sum(one is None for one in late.values()),
            behind=tuple(sorted(name for name, update in late.items() if update is not None)),
            releases=tuple(_release(one, servers) for one in those),
        )


def _release(one: Release, servers: Sequence[tuple[str, Build]]) -> documents.SoftwareRelease:
    return documents.SoftwareRelease(
        version=one.build.words,
        notes=one.notes,
        published_at=one.at,
        update_by=one.update_by,
        servers=tuple(sorted(name for name, runs in servers if runs == one.build)),
    )
