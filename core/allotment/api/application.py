"""The application: every router, authentication in front of all, problems behind all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

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
    datasets,
    departments,
    devices,
    events,
    explain,
    groups,
    happenings,
    instance_types,
    lending,
    limits,
    me,
    model_files,
    models,
    opening,
    planning,
    platform,
    pools,
    profiles,
    reports,
    reservations,
    roles,
    servers,
    simulations,
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
    me,
    devices,
    pools,
    reservations,
    groups,
    departments,
    users,
    addresses,
    roles,
    limits,
    profiles,
    instance_types,
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
        generate_unique_id_function=lambda route: route.name,
    )
    for module in _ROUTERS:
        app.include_router(module.router, prefix=API)
    app.include_router(signing_in.router)
    _serve_description(app)
    problems.install(app)
    return app


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

    return lifespan


def _serve_description(app: FastAPI) -> None:
    known: dict[str, Any] = {}

    @app.get(f"{API}/openapi.json", include_in_schema=False)
    def openapi() -> JSONResponse:
        if not known:
            known.update(describe(app))
        return JSONResponse(known)
