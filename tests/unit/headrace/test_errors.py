"""Every error has a code of its own and is either terminal or transient."""

from headrace import errors


def test_every_error_has_a_code_of_its_own_and_knows_whether_a_retry_can_help() -> None:
    leaves = [kind for kind in errors.error_kinds() if not kind.__subclasses__()]
    codes = [kind.code for kind in leaves]
    assert len(leaves) > 10
    assert sorted(set(codes)) == sorted(codes)
    assert all(kind.transient == issubclass(kind, errors.TransientError) for kind in leaves)


def test_the_message_begins_with_the_code() -> None:
    assert str(errors.ContractError("it is wrong")) == "[HR102] it is wrong"
