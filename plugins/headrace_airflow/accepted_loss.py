"""Accepting a loss asks for more than triggering a run: somebody who may set Airflow's variables allows it.

Triggering and setting variables are different rights in every auth manager (User's and Op's with the roles of
FAB and of the simple one), every worker can read variables, and Airflow's audit log keeps who set one.
"""

import shlex

from headrace.errors import LossNotAllowed


def variable_of(stream: str) -> str:
    """The Airflow variable that allows a loss of that stream; its value is the id of the one run that may."""
    return f"headrace_accept_loss_{stream}"


def require_allowed(stream: str, run_id: str, parameter: str = "accept_loss") -> None:
    """Let a run go on whose parameter gives up records, if that is allowed.

    Raises:
        LossNotAllowed: it is not; the message has the variable and the command that sets it.
    """
    from airflow.sdk import Variable

    variable = variable_of(stream)
    if (Variable.get(variable, default=None) or "").strip() == run_id:
        return
    command = shlex.join(["airflow", "variables", "set", variable, run_id])
    raise LossNotAllowed(
        f"stream {stream}: this run was triggered with {parameter}, which gives up records and so asks for "
        "more than the right to trigger: somebody who may set Airflow's variables has to allow it to this "
        f"run. Set the variable {variable} to the run's id, {run_id!r} (Admin > Variables in the web UI, or "
        f"`{command}`), and clear the task. Nothing was landed, and no loss was noted."
    )
