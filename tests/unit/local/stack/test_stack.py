"""What a stack is made for: paths that all of its parts can bear, ports that stay the same."""

import socket
from pathlib import Path

import pytest

from headrace.errors import SettingsError
from headrace.settings import Settings
from local.stack.stack import Stack, kept_port


def test_a_port_is_kept_while_it_is_free(tmp_path: Path) -> None:
    file = tmp_path / "broker" / "port"
    port = kept_port(file)
    assert kept_port(file) == port
    with socket.create_server(("127.0.0.1", port)):
        assert kept_port(file) != port


@pytest.mark.parametrize("odd", ["a:b", "a,b", "a%b", 'a"b', "a;b", "a$b", "a\nb"])
def test_paths_that_a_part_takes_as_syntax_are_refused(tmp_path: Path, odd: str) -> None:
    with pytest.raises(SettingsError, match="Choose another path"):
        Stack(Settings(home=tmp_path / odd))


def test_blanks_and_foreign_letters_are_fine(tmp_path: Path) -> None:
    assert Stack(Settings(home=tmp_path / "Äpfel und 梨")).home == tmp_path / "Äpfel und 梨"
