-- Polling: sources, the ledger of what each was asked for, and what is known of the hosts behind them.

CREATE TABLE sources (
    tenant_id        UUID NOT NULL,
    id               UUID NOT NULL,
    event_type_id    UUID NOT NULL,
    name             TEXT NOT NULL,
    definition       TEXT NOT NULL,              -- JSON: a SOURCE.json without its token
    host             TEXT NOT NULL,              -- of its address, with the port: whose limits hold
    secret           BYTEA,                      -- sealed: see src/crypto/seal.rs
    old_secret       BYTEA,                      -- the one before, tried while it overlaps
    old_secret_until TIMESTAMPTZ,
    state            TEXT NOT NULL,              -- active; paused: by somebody; refused, stopped: by itself; removed
    reason           TEXT,                       -- why it is not active, and what to do about it
    starts_at        TIMESTAMPTZ NOT NULL,       -- its ledger tiles [starts_at, watermark)
    watermark        TIMESTAMPTZ NOT NULL,
    interval_seconds BIGINT NOT NULL,            -- between two runs of its schedule
    parallel         BIGINT NOT NULL,            -- windows under way at once
    next_run_at      TIMESTAMPTZ NOT NULL,
    run_now          BOOLEAN NOT NULL,           -- at the next run: up to the present
    skew_millis      BIGINT NOT NULL,            -- how far the other side's clock is ahead of ours
    refusals         BIGINT NOT NULL,            -- 401 and 403 in a row
    health           TEXT NOT NULL,              -- fresh, late, failing, paused, stopped
    health_since     TIMESTAMPTZ NOT NULL,
    reconcile        BOOLEAN NOT NULL,           -- closed windows are read again at random
    checked_windows  BIGINT NOT NULL,            -- by such reading, and what it has found
    checked_records  BIGINT NOT NULL,
    missed_records   BIGINT NOT NULL,
    lateness         TEXT NOT NULL,              -- JSON: how many records were so late, in powers of two of a second
    tidied_at        TIMESTAMPTZ NOT NULL,       -- when its old windows were merged last
    created_at       TIMESTAMPTZ NOT NULL,
    updated_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX sources_tidied ON sources (tidied_at);
CREATE INDEX sources_by_id ON sources (id);
CREATE INDEX sources_astray ON sources (tenant_id, id) WHERE health <> 'fresh';
CREATE INDEX sources_due ON sources (next_run_at) WHERE state = 'active';

-- Half-open spans of time, in UTC. Those that lie in the ledger and are not split tile it: no gap, no overlap.
CREATE TABLE windows (
    tenant_id    UUID NOT NULL,
    id           UUID NOT NULL,
    source_id    UUID NOT NULL,
    host         TEXT NOT NULL,
    kind         TEXT NOT NULL,                  -- scheduled, backfill: in the ledger; reread, check: beside it
    state        TEXT NOT NULL,                  -- open, running, done, failed, split
    from_at      TIMESTAMPTZ NOT NULL,
    until_at     TIMESTAMPTZ NOT NULL,
    ask_from     TIMESTAMPTZ NOT NULL,           -- earlier by the lookback
    position     TEXT,                           -- JSON: how far it is committed
    planned_at   TIMESTAMPTZ NOT NULL,
    done_at      TIMESTAMPTZ,                    -- NULL: open, running or failed
    next_try_at  TIMESTAMPTZ NOT NULL,
    failures     BIGINT NOT NULL,                -- attempts in a row that failed
    fault        TEXT,                           -- why the last one did
    merged       BIGINT NOT NULL,                -- how many windows this one was merged from
    requests     BIGINT NOT NULL,
    bytes        BIGINT NOT NULL,
    records      BIGINT NOT NULL,
    fresh        BIGINT NOT NULL,                -- records that are accepted as new events
    duplicates   BIGINT NOT NULL,
    quarantined  BIGINT NOT NULL,
    -- The lease, by the clock of the database. Whoever takes the window raises the epoch, and nothing is written for
    -- it but by the epoch one has taken.
    owner        UUID,
    epoch        BIGINT NOT NULL,
    held_until   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX windows_of_source ON windows (tenant_id, source_id, from_at);
CREATE INDEX windows_due ON windows (next_try_at) WHERE state = 'open';
CREATE INDEX windows_held ON windows (held_until) WHERE state = 'running';
CREATE INDEX windows_waiting ON windows (host, next_try_at) WHERE state = 'open';
CREATE INDEX windows_running ON windows (host, held_until) WHERE state = 'running';
CREATE INDEX windows_undone ON windows (tenant_id, source_id, state) WHERE done_at IS NULL;

-- One taking of a window: what was asked and what was answered. The evidence.
CREATE TABLE attempts (
    tenant_id  UUID NOT NULL,
    window_id  UUID NOT NULL,
    number     BIGINT NOT NULL,                  -- the epoch by which the window was taken
    source_id  UUID NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at   TIMESTAMPTZ,                      -- NULL: under way, or cut off
    requests   TEXT NOT NULL,                    -- JSON: each with its address (secrets hidden), status, bytes, …
    fault      TEXT,
    PRIMARY KEY (tenant_id, window_id, number)
);
CREATE INDEX attempts_by_age ON attempts (started_at);

-- Where a receipt's events came from: an event's id holds its receipt's.
CREATE TABLE polled (
    tenant_id  UUID NOT NULL,
    receipt_id UUID NOT NULL,
    source_id  UUID NOT NULL,
    window_id  UUID NOT NULL,
    attempt    BIGINT NOT NULL,
    request    BIGINT NOT NULL,                  -- its place among those of the attempt, from 0
    PRIMARY KEY (tenant_id, receipt_id)
);

-- What all processes together may ask of a host.
CREATE TABLE poll_hosts (
    host        TEXT NOT NULL PRIMARY KEY,
    slots       BIGINT NOT NULL,                 -- windows under way at once
    per_minute  BIGINT NOT NULL,                 -- requests; 0 is no limit
    credit      DOUBLE PRECISION NOT NULL,       -- requests that may be made at once, as of credited_at
    credited_at TIMESTAMPTZ NOT NULL,
    not_before  TIMESTAMPTZ NOT NULL             -- it asked to be left alone until then
);

-- Hosts inside this network that may be asked and told all the same, beside those that the server is started with.
CREATE TABLE allowed_hosts (
    host       TEXT NOT NULL PRIMARY KEY,        -- HOST or HOST:PORT
    allowed_by TEXT NOT NULL,
    allowed_at TIMESTAMPTZ NOT NULL
);
