-- One segment of the ring of raw inputs.

-- Exactly one row: how the segment began.
CREATE TABLE segment (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    opened_ms  INTEGER NOT NULL,
    first_n    INTEGER NOT NULL, -- the number of the first input that goes in here
    seq        INTEGER NOT NULL, -- the hub's sequence before first_n
    checkpoint BLOB              -- the engine's state before first_n; NULL when it knows nothing yet
) STRICT;

CREATE TABLE inputs (
    n       INTEGER PRIMARY KEY,
    now_ms  INTEGER NOT NULL,
    source  TEXT, -- the bridge; NULL when it is no platform event
    payload TEXT NOT NULL
) STRICT;

CREATE INDEX inputs_by_time ON inputs (now_ms);

-- Up to where each bridge's events are durable.
CREATE TABLE positions (
    source     TEXT PRIMARY KEY NOT NULL,
    epoch      TEXT NOT NULL,
    sequence   INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;
