"""Land: what landing decides without reading a record: what retention took, whether too much was refused."""
