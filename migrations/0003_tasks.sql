-- Background tasks, what they leave behind, and how long a tenant's events are kept.

CREATE TABLE tasks (
    tenant_id     UUID NOT NULL,
    id            UUID NOT NULL,
    kind          TEXT NOT NULL,                 -- 'events.export'
    state         TEXT NOT NULL,                 -- queued, running, done, failed, cancelled
    cancelling    BOOLEAN NOT NULL,              -- ends after the step under way
    input         TEXT NOT NULL,                 -- JSON: what was asked for
    cursor        TEXT,                          -- JSON: where the next step begins; NULL: at the beginning
    total         BIGINT,                        -- how many things there are to do, where that is known
    done          BIGINT NOT NULL,               -- how many of them are done
    counters      TEXT NOT NULL,                 -- JSON: {"mended": 3}
    error         TEXT,                          -- why it failed, in words
    attempts      BIGINT NOT NULL,               -- steps in a row that could not be done
    started_by_id UUID,                          -- the account; the command line has none
    started_by    TEXT NOT NULL,
    role          TEXT NOT NULL,                 -- of whoever started it, at that time
    created_at    TIMESTAMPTZ NOT NULL,
    began_at      TIMESTAMPTZ,
    ended_at      TIMESTAMPTZ,
    -- The lease, by the clock of the database. Whoever takes the task raises the epoch, and nothing is written
    -- for it but by the epoch one has taken.
    epoch         BIGINT NOT NULL,
    held_until    TIMESTAMPTZ NOT NULL,          -- nobody takes it before this
    served_at     TIMESTAMPTZ NOT NULL,          -- whose turn it is
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX tasks_open ON tasks (held_until) WHERE state IN ('queued', 'running');
CREATE INDEX tasks_ended ON tasks (ended_at) WHERE ended_at IS NOT NULL;

-- The file that a task has made, in pieces: each is a gzip member of its own.
CREATE TABLE task_output (
    tenant_id UUID NOT NULL,
    task_id   UUID NOT NULL,
    number    BIGINT NOT NULL,                   -- from 0, without gaps
    content   BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, task_id, number)
);

-- How long a tenant's events are kept, in days. Without a row: as `src/tenants/retention.rs` says.
CREATE TABLE retention (
    tenant_id        UUID NOT NULL PRIMARY KEY,
    accepted_days    BIGINT NOT NULL,
    quarantined_days BIGINT NOT NULL,
    unique_days      BIGINT NOT NULL
);

-- What retention has removed of a tenant, and when it last looked.
CREATE TABLE removals (
    tenant_id UUID NOT NULL,
    what      TEXT NOT NULL,                     -- accepted, quarantined, unique
    removed   BIGINT NOT NULL,
    since     TIMESTAMPTZ NOT NULL,              -- when the first was removed
    last_at   TIMESTAMPTZ NOT NULL,              -- when it was last looked through
    PRIMARY KEY (tenant_id, what)
);
