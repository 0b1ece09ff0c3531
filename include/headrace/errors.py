"""Every error of Headrace: one root, each either terminal (a retry cannot help) or transient (it may).

A message says what is wrong, where, and what to do. The code stays the same from release to release, so that
a person can look it up and a script can match it.
"""

from typing import ClassVar


class HeadraceError(Exception):
    """The root of all errors that Headrace raises on purpose."""

    code: ClassVar[str] = "HR000"
    transient: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"[{self.code}] {super().__str__()}"


class TerminalError(HeadraceError):
    """A retry would fail in the same way: a person has to act first."""


class TransientError(HeadraceError):
    """The same call may succeed a little later."""

    code = "HR900"
    transient = True


class SettingsError(TerminalError):
    """A setting (environment variable, connection, path) is missing or wrong."""

    code = "HR101"


class ContractError(TerminalError):
    """A contract file is wrong; the message names file, line and field."""

    code = "HR102"


class LossNotAllowed(TerminalError):
    """A run's parameter gives up records, and nobody who may allow that has allowed it to this run."""

    code = "HR103"


class SourceError(TerminalError):
    """A source file cannot be published as it is; the message names file, line and field."""

    code = "HR201"


class SourceMissing(TransientError):
    """The source file is not there; it may still be on its way."""

    code = "HR202"


class SpoolUnavailable(TransientError):
    """The spool under HEADRACE_HOME could not be written just now (disk full, not writable)."""

    code = "HR203"


class SourceGrowing(TransientError):
    """The source was written to while it was read; it is read again when it is at rest."""

    code = "HR204"


class BrokerUnreachable(TransientError):
    """The broker did not answer, or went away."""

    code = "HR301"


class TopicMissing(TerminalError):
    """The topic does not exist on the broker."""

    code = "HR302"


class TopicDiffers(TerminalError):
    """The topic exists with other partitions or another config than its contract declares."""

    code = "HR303"


class TopicRecreated(TerminalError):
    """The topic was deleted and made again: its offsets no longer mean what the tables hold."""

    code = "HR304"


class RecordsExpired(TerminalError):
    """The log starts after the landed position: retention has removed records that were never landed."""

    code = "HR305"


class DeliveryIncomplete(TransientError):
    """Not every record was acknowledged; the transaction was aborted."""

    code = "HR306"


class PublisherFenced(TerminalError):
    """A newer publisher of the same source has taken over; this one must not go on."""

    code = "HR307"


class PublicationBroken(TerminalError):
    """How far a publication came cannot be told for certain, or the topic lost records of it."""

    code = "HR308"


class LogCutOff(TerminalError):
    """The log ends before the landed position: the broker has lost records that consumers had seen."""

    code = "HR309"


class RecordsUnlandable(TerminalError):
    """No process can land these records, or no consumer read them; a person may give their offsets up."""

    code = "HR310"


class RegistryUnreachable(TransientError):
    """The schema registry did not answer, or cannot just now."""

    code = "HR311"


class StreamLocked(TransientError):
    """Another process writes to this stream's tables."""

    code = "HR401"


class ForeignCommit(TransientError):
    """The batch was committed by another try: this one stops before it does anything else."""

    code = "HR402"


class PositionBroken(TerminalError):
    """A batch does not begin where the last one ended, or is committed twice."""

    code = "HR403"


class WarehouseError(TerminalError):
    """The warehouse cannot be used: wrong kind of path, newer layout, object store without put-if-absent."""

    code = "HR404"


class WarehouseUnavailable(TransientError):
    """The warehouse could not be written just now (disk full, directory not writable, mount gone)."""

    code = "HR405"


class QuarantineLimitExceeded(TerminalError):
    """More records went to quarantine than the contract allows."""

    code = "HR406"


class CommitTorn(TerminalError):
    """The newest file of a table's log is empty or cut off: a power cut, a full disk, a broken copy."""

    code = "HR407"


class TablesApart(TerminalError):
    """A stream's tables are of different moments: one was restored, or copied back, without the others."""

    code = "HR408"


class ColumnsDiffer(TerminalError):
    """The columns of `readings` are not the contract's, and cannot become those without what is landed."""

    code = "HR409"


class TooManySmallFiles(TransientError):
    """A table has so many small files, after maintenance too, that reading it is slow."""

    code = "HR410"


class NotReconciled(TerminalError):
    """Records are lost, doubled or miscounted; the message names them."""

    code = "HR501"


class SetupFailed(TerminalError):
    """This machine lacks something that set-up needs (Java, network, a checksum that fits)."""

    code = "HR601"


class PortTaken(TerminalError):
    """Another process listens on a port that the local stack needs; the message names both."""

    code = "HR602"


class StackUnhealthy(TransientError):
    """A part of the local stack did not become healthy in time, or is not running."""

    code = "HR603"


class RunFailed(TerminalError):
    """The demonstration's run did not succeed; the message has the failing task's last lines."""

    code = "HR604"


def error_kinds() -> list[type[HeadraceError]]:
    """Every class of errors, the root first."""
    kinds: list[type[HeadraceError]] = [HeadraceError]
    for kind in kinds:  # grows while it is iterated
        kinds += kind.__subclasses__()
    return kinds
