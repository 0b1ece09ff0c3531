"""Faults are chosen by their names."""

import random

import pytest

from chaos.registry import ALL, chosen


def test_every_fault_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in ALL}) == len(ALL)
    assert [chosen(fault.name)[0] for fault in ALL] == list(ALL)
    with pytest.raises(SystemExit, match="publisher killed inside"):
        chosen(f"no such fault {random.random()}")
