-- What happened to the hub itself is rare among what happened on calls.
CREATE INDEX entries_of_hub ON entries (seq) WHERE call IS NULL;
