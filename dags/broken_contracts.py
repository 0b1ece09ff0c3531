"""Holds no DAG: its import fails while a contract is broken, so that Airflow's web UI shows which and why.

It is a file of its own because Airflow, on an import error, marks every DAG of that file as stale.
"""

from headrace_airflow.contracts import refuse_broken_contracts

refuse_broken_contracts()
