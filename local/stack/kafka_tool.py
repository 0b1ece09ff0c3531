"""Runs one of Kafka's own tools on the embedded broker: adds address and log-in where its line names none.

Arguments: the broker's address, the file with its log-in, Java's command line up to the tool, `--`, the
tool's own arguments. Only the standard library: it becomes the tool by `exec`.
"""

import os
import sys

ADDRESS = "--bootstrap-server"
LOGIN = "--command-config"
OTHER_LOGINS = {"--producer.config", "--consumer.config"}
"""What `--command-config` was called in tools of older versions; a tool takes one of them only."""

QUICK_START = "localhost:9092"
"""The broker of Kafka's own pages. Among these tools it is the one that they are made for."""


def completed(given: list[str], address: str, login: str) -> list[str]:
    """The tool's arguments, with the broker's address and log-in; of another broker they stay as they are."""
    said = [part for one in given for part in _split(one)]
    if ADDRESS in said:
        at = said.index(ADDRESS) + 1
        if said[at : at + 1] == [QUICK_START]:
            said[at] = address
        if said[at : at + 1] != [address]:
            return given
    else:
        said = [ADDRESS, address, *said]
    # In front: where a tool has commands of its own, what comes after one is that command's.
    return said if {LOGIN, *OTHER_LOGINS} & {*said} else [LOGIN, login, *said]


def _split(argument: str) -> list[str]:
    name, equals, value = argument.partition("=")
    return [name, value] if equals and name in {ADDRESS, LOGIN, *OTHER_LOGINS} else [argument]


if __name__ == "__main__":
    address, login, *rest = sys.argv[1:]
    end = rest.index("--")
    java, given = rest[:end], rest[end + 1 :]
    os.execv(java[0], [*java, *completed(given, address, login)])  # noqa: S606  # Java's own command line
