"""The index of refused records: how often each publication has had the same key and value refused."""

from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.identities.index import Indexed, Pairs
from headrace.identities.runs import Days, Hashes
from headrace.parse.reasons import Reason
from headrace.tables.names import QUARANTINE


def content_hashes(rows: pa.RecordBatch | pa.Table) -> Hashes:
    """64 bits of each record's `key` and `value`, absent ones and empty ones told apart."""
    pairs = zip(rows["key"].to_pylist(), rows["value"].to_pylist(), strict=True)
    digests = [blake2b(_part(key) + _part(value), digest_size=8).digest() for key, value in pairs]
    return np.frombuffer(b"".join(digests), "<u8")


def _part(content: bytes | None) -> bytes:
    return b"-" if content is None else b"%d:%b" % (len(content), content)


def publication_number(publication: str) -> int:
    """32 bits that stand for a publication beside a hash."""
    return int.from_bytes(blake2b(publication.encode(), digest_size=4).digest(), "little", signed=True)


def _refused(batch: pa.RecordBatch) -> Pairs:
    publication = pc.struct_field(batch["provenance"], ["publication"])
    own = pc.and_(pc.is_valid(publication), pc.not_equal(batch["reason"], Reason.DUPLICATE.value))
    publication, batch = publication.filter(own), batch.filter(own)
    numbers: Days = np.array([publication_number(each) for each in publication.to_pylist()], np.int32)
    return content_hashes(batch), numbers


REFUSED = Indexed(QUARANTINE, "_refused", ("reason", "key", "value", "provenance.publication"), _refused)
"""Of the rows of sources; a duplicate's bytes are not kept."""
