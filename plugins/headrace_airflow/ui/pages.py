"""Headrace's pages in Airflow's web server; each asks Airflow whether this person may see the DAG's runs."""

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse

from headrace.errors import HeadraceError
from headrace.settings import load_settings

# Without the documentation pages: FastAPI would serve them to anybody.
pages = FastAPI(title="Headrace", docs_url=None, redoc_url=None, openapi_url=None)

# The page holds pictures and style itself; whatever else a table's text might bring in does not run.
HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}

NO_REPORT = "No such report. A run has one when its task `report` has succeeded."
"""All that is told of a report that is not there: the same for a stream, a run and a DAG that is none."""


@pages.get("/reports/{dag_id}", dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.RUN))])
def report(dag_id: str, run_id: str) -> FileResponse:
    """The report of one run, as `report` wrote it into the warehouse."""
    from headrace.contract.loader import find_contract
    from headrace.tables.warehouse import Warehouse

    settings = load_settings()
    try:
        contract = find_contract(settings.streams_path, dag_id)  # only a stream has a folder in the warehouse
    except HeadraceError as unknown:  # names paths and all streams: not for whoever asks
        raise HTTPException(404, NO_REPORT) from unknown
    file = Warehouse.of(settings, contract.stream).report(run_id)
    if not file.is_file():
        raise HTTPException(404, NO_REPORT)
    return FileResponse(file, media_type="text/html", headers=HEADERS)
