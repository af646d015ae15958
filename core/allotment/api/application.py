"""The application: every router, authentication in front of all, problems behind all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.routing import BaseRoute

from allotment.api import problems, signing_in
from allotment.api.authentication import API, Authentication, Authenticator
from allotment.api.describing import VERSION, describe
from allotment.api.identity import Identities
from allotment.api.plane import ControlPlane
from allotment.api.resources import (
    addresses,
    attachments,
    budgets,
    configuration,
    cordons,
    datasets,
    departments,
    devices,
    events,
    explain,
    groups,
    happenings,
    health,
    homes,
    instance_types,
    leaving,
    lending,
    limits,
    me,
    model_files,
    models,
    nodes,
    opening,
    planning,
    platform,
    pools,
    profiles,
    reports,
    reservations,
    roles,
    scim,
    servers,
    service_accounts,
    sign_in,
    sign_on,
    simulations,
    software,
    sources,
    target_cleaning,
    targets,
    tickets,
    usage,
    users,
    versions,
)
from allotment.api.sessions import Sessions
from allotment.api.surrounding import BodyLimit, Prefix, Watch

_ROUTERS = (
    platform,
    health,
    me,
    devices,
    nodes,
    pools,
    reservations,
    cordons,
    groups,
    departments,
    users,
    leaving,
    homes,
    sign_in,
    sign_on,
    service_accounts,
    scim,
    addresses,
    roles,
    limits,
    profiles,
    instance_types,
    software,
    servers,
    tickets,
    events,
    happenings,
    explain,
    reports,
    usage,
    budgets,
    planning,
    simulations,
    sources,
    lending,
    datasets,
    attachments,
    opening,
    versions,
    targets,
    target_cleaning,
    models,
    model_files,
    configuration,
)


def routed() -> FastAPI:
    """Every route, without anything behind it: what the description is made from."""
    app = FastAPI(
        title="Allotment control plane",
        version=VERSION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=list(_routes()),
    )
    app.state.description = {}
    problems.install(app)
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """The routes, which know nothing of a control plane: all of a process share them.

    FastAPI builds them at the first request, in a fifth of a second.
    """
    router = APIRouter(generate_unique_id_function=lambda route: route.name)
    for module in _ROUTERS:
        router.include_router(module.router, prefix=API)
    router.include_router(signing_in.router)
    router.get(f"{API}/openapi.json", include_in_schema=False)(_description)
    return tuple(router.routes)


def create_application(plane: ControlPlane, identities: Identities | None = None) -> FastAPI:
    """The control plane as an ASGI application. Its periodic work runs while it does."""
    app = routed()
    app.router.lifespan_context = _lifespan(plane)
    sessions = Sessions(plane.environment.token)
    authenticator = Authenticator(plane, identities or Identities(plane.hub), sessions)
    app.state.plane = plane
    app.state.sessions = sessions
    app.state.authenticator = authenticator
    app.add_middleware(BodyLimit)
    app.add_middleware(Authentication, authenticator=authenticator)
    app.add_middleware(Watch, plane=plane)
    app.add_middleware(Prefix, prefix=plane.environment.prefix.rstrip("/"))
    return app


def _lifespan(plane: ControlPlane) -> Any:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(plane.feed.run()), asyncio.create_task(plane.loop.run())]
        try:
            yield
        finally:
            plane.feed.end()
            plane.loop.end()
            plane.hub.close()  # whoever waits for the hub gives up
            await asyncio.gather(*tasks)
            plane.errands.close()
            plane.data.close()
            plane.endings.close()
            plane.queueing.close()
            plane.simulations.close()
            if plane.attendance is not None:
                await asyncio.to_thread(plane.attendance.leave, plane.now())

    return lifespan


def _description(request: Request) -> JSONResponse:
    # No function within the other one: FastAPI remembers a route's function for ever, and with it what it names.
    known: dict[str, Any] = request.app.state.description
    if not known:
        known.update(describe(request.app))
    return JSONResponse(known)
