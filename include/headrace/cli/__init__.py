"""`headrace`: the command for a person's hands.

What takes long to import is imported by the command that needs it: a person waits for each of them.
"""

import typer

from headrace.cli.contracts import check, export, import_, schema
from headrace.cli.samples import new, try_
from headrace.cli.streams import audit_, migrate_, plan, restore_, show

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def headrace() -> None:
    """Kafka to Delta in gated micro-batches, every record accounted for."""


app.command(name="check")(check)
app.command(name="schema")(schema)
app.command(name="show")(show)
app.command(name="plan")(plan)
app.command(name="audit")(audit_)
app.command(name="migrate")(migrate_)
app.command(name="restore")(restore_)
app.command(name="try")(try_)
app.command(name="new")(new)

contract_app = typer.Typer(
    no_args_is_help=True, help="Contracts to and from ODCS 3, and what it does not say."
)
contract_app.command(name="export")(export)
contract_app.command(name="import")(import_)
app.add_typer(contract_app, name="contract")
