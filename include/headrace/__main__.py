"""`python -m headrace`: the same as `headrace`, also where the path of the checkout has a blank."""

from headrace.cli import app

app()
