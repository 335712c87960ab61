-- Why events break their contracts, in groups; and how they were mended.

-- One cause: a rule of one type, broken at one place. Its id follows from these three (see `src/failures/mod.rs`).
CREATE TABLE failure_groups (
    tenant_id     UUID NOT NULL,
    id            UUID NOT NULL,
    event_type_id UUID NOT NULL,
    rule          TEXT NOT NULL,
    path          TEXT NOT NULL,                 -- JSON pointer; an index into an array is a *
    message       TEXT NOT NULL,                 -- what the newest event was told
    failures      BIGINT NOT NULL,               -- how many events ever
    first_at      TIMESTAMPTZ NOT NULL,
    last_at       TIMESTAMPTZ NOT NULL,
    samples       TEXT NOT NULL,                 -- JSON: the newest few events, newest first
    state         TEXT NOT NULL,                 -- open, acknowledged, resolved, ignored
    changed_by    TEXT,                          -- who set the state; NULL: nobody yet
    changed_at    TIMESTAMPTZ,
    resolved_at   TIMESTAMPTZ,                   -- kept when it comes back
    reopened_at   TIMESTAMPTZ,                   -- received: the event it came back with
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX failure_groups_of_type ON failure_groups (tenant_id, event_type_id);

CREATE TABLE failure_hours (
    tenant_id UUID NOT NULL,
    group_id  UUID NOT NULL,
    hour      TIMESTAMPTZ NOT NULL,
    failures  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, group_id, hour)
);

-- Which events in quarantine break what. Gone with the quarantine of the event.
CREATE TABLE failures (
    tenant_id UUID NOT NULL,
    group_id  UUID NOT NULL,
    event_id  UUID NOT NULL,
    PRIMARY KEY (tenant_id, group_id, event_id)
);
CREATE INDEX failures_of_event ON failures (tenant_id, event_id);

-- Ranges of events that are still to be grouped: the follower of batches leaves them.
CREATE TABLE failure_work (
    tenant_id UUID NOT NULL,
    id        UUID NOT NULL,
    low       UUID,                              -- from this event on; NULL: the first
    high      UUID,                              -- up to this event; NULL: the last
    PRIMARY KEY (tenant_id, id)
);
-- what was in quarantine before there were groups
INSERT INTO failure_work (tenant_id, id, low, high) SELECT tenant_id, tenant_id, NULL, NULL FROM tenants;

-- What an event in quarantine became; its own verdict is 'mended' then.
CREATE TABLE mended (
    tenant_id UUID NOT NULL,
    event_id  UUID NOT NULL,
    mended_id UUID NOT NULL,                     -- the event accepted in its place
    mended_by TEXT NOT NULL,                     -- as the audit trail names them
    task_id   UUID,                              -- NULL: by hand
    at        TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, event_id)
);
CREATE INDEX mended_origin ON mended (tenant_id, mended_id);
CREATE INDEX events_mended ON events (tenant_id, id) WHERE verdict = 'mended';
