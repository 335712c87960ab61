-- How regularly events come, and alerts: whom to tell what, what is amiss at the moment, and what was told.

-- The longest time without an event of its type that ended in this hour. NULL: counted before this was looked at.
ALTER TABLE event_counts ADD COLUMN gap_ms BIGINT;

-- Whom to tell. The tenant of nothing but zeros is the installation: told of every tenant.
CREATE TABLE alert_channels (
    tenant_id   UUID NOT NULL,
    id          UUID NOT NULL,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL,                   -- mail, web
    address     TEXT NOT NULL,                   -- an e-mail address, or a URL
    enabled     BOOLEAN NOT NULL,
    secret      BYTEA,                           -- web: sealed, see src/crypto/seal.rs
    former      BYTEA,                           -- the one before, sealed; signs beside it for a while
    former_ends TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- What a type is watched for. Without a row: as `src/alerts/mod.rs` says.
CREATE TABLE alert_rules (
    tenant_id     UUID NOT NULL,
    event_type_id UUID NOT NULL,
    silence       BOOLEAN NOT NULL,
    failures      BOOLEAN NOT NULL,              -- new failure groups, and those that come back
    rejections    BOOLEAN NOT NULL,
    percent       BIGINT NOT NULL,               -- of so many hours, when there were so many events at least
    hours         BIGINT NOT NULL,
    minimum       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, event_type_id)
);

-- What is amiss, and what was.
CREATE TABLE alerts (
    tenant_id     UUID NOT NULL,
    id            UUID NOT NULL,
    kind          TEXT NOT NULL,                 -- silence, rejections, failure-group
    event_type_id UUID NOT NULL,
    subject       UUID NOT NULL,                 -- the type, or the failure group
    details       TEXT NOT NULL,                 -- JSON: the figures it was raised with
    opened_at     TIMESTAMPTZ NOT NULL,
    resolved_at   TIMESTAMPTZ,
    resolution    TEXT,                          -- why it is over
    PRIMARY KEY (tenant_id, id)
);
-- one at a time, whoever raises it
CREATE UNIQUE INDEX alerts_open ON alerts (tenant_id, kind, subject) WHERE resolved_at IS NULL;
CREATE INDEX alerts_resolved ON alerts (resolved_at) WHERE resolved_at IS NOT NULL;

-- How often alerts were raised or resolved: who has looked before the last time must look again.
CREATE TABLE alert_watch (
    id      BIGINT NOT NULL PRIMARY KEY,
    changes BIGINT NOT NULL
);
INSERT INTO alert_watch (id, changes) VALUES (1, 0);

-- What a channel is told: on its way, delivered, or given up.
CREATE TABLE alert_notices (
    tenant_id  UUID NOT NULL,                    -- of the channel
    id         UUID NOT NULL,                    -- a receiver sees it as the id of the message
    channel_id UUID NOT NULL,
    about      UUID,                             -- the tenant of the alert; NULL: a test
    alert_id   UUID,
    event      TEXT NOT NULL,                    -- alert.opened, alert.resolved, alert.test
    title      TEXT NOT NULL,
    body       TEXT NOT NULL,                    -- JSON, as it is sent
    state      TEXT NOT NULL,                    -- waiting, sent, failed
    attempts   BIGINT NOT NULL,
    next_at    TIMESTAMPTZ NOT NULL,             -- not before; while it is being sent: when that is taken for dead
    status     BIGINT,                           -- of the last answer
    answer     TEXT,                             -- how the last answer began
    fault      TEXT,                             -- why the last attempt failed
    created_at TIMESTAMPTZ NOT NULL,
    done_at    TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX alert_notices_waiting ON alert_notices (next_at) WHERE state = 'waiting';
CREATE INDEX alert_notices_done ON alert_notices (done_at) WHERE done_at IS NOT NULL;
