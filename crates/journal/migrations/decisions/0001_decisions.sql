-- Decisions: what people and the engine decided, kept long.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT;

-- Commands and handoffs, each as it is now.
CREATE TABLE records (
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    call       TEXT,
    seq        INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    open       INTEGER NOT NULL, -- 1 while something may still happen to it
    json       TEXT NOT NULL,
    UNIQUE (kind, id)
) STRICT;

CREATE INDEX records_by_seq ON records (seq);
CREATE INDEX records_by_update ON records (updated_ms);
CREATE INDEX records_open ON records (seq) WHERE open = 1;

-- What happened, in order, never changed.
CREATE TABLE entries (
    seq   INTEGER PRIMARY KEY,
    call  TEXT,
    at_ms INTEGER NOT NULL,
    kind  TEXT NOT NULL,
    json  TEXT NOT NULL
) STRICT;

CREATE INDEX entries_by_call ON entries (call, seq) WHERE call IS NOT NULL;
