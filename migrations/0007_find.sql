-- Finding: fields of events that can be searched for by value; keyboard shortcuts that can be switched off.

ALTER TABLE event_types ADD COLUMN searchable_fields TEXT NOT NULL DEFAULT '[]'; -- JSON array of JSON pointers

-- The same, a row each: what the follower of events looks at, and how far the index of each field is.
CREATE TABLE searchable_fields (
    tenant_id     UUID NOT NULL,
    event_type_id UUID NOT NULL,
    field         TEXT NOT NULL,                 -- JSON pointer
    task_id       UUID,                          -- what fills in the events from before; NULL: the type began with it
    ready         BOOLEAN NOT NULL,              -- every event is in the index
    PRIMARY KEY (tenant_id, event_type_id, field)
);

-- Which events hold which value. The value itself is not here: its digest is made of tenant, type, field and value,
-- so that the index tells nothing by being read. Rows go with their events.
CREATE TABLE field_values (
    tenant_id UUID NOT NULL,
    event_id  UUID NOT NULL,
    digest    BYTEA NOT NULL,                    -- the first 16 bytes of a SHA-256: see src/events/fields/value.rs
    PRIMARY KEY (tenant_id, event_id, digest)
);
CREATE INDEX field_values_by_value ON field_values (tenant_id, digest, event_id);

-- Ranges of events whose values are still to be written down: the follower of batches leaves them.
CREATE TABLE field_work (
    tenant_id     UUID NOT NULL,
    event_type_id UUID NOT NULL,
    id            UUID NOT NULL,                 -- where the range began
    low           UUID NOT NULL,                 -- from this event on
    high          UUID NOT NULL,                 -- up to this event
    PRIMARY KEY (tenant_id, event_type_id, id)
);

ALTER TABLE users ADD COLUMN shortcuts_off BOOLEAN NOT NULL DEFAULT FALSE;
