-- One text for SQLite and PostgreSQL. Tables of a tenant begin their primary key with tenant_id, so that a
-- distributed PostgreSQL can shard on it. Identifiers are UUIDs; those of version 7 sort by time.

CREATE TABLE users (
    id            UUID NOT NULL PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE,          -- lower case
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,                 -- PHC string, Argon2id
    role          TEXT NOT NULL,
    tenant_id     UUID,                          -- set: sees this tenant alone
    theme         TEXT,                          -- NULL: as the system has it
    created_at    TIMESTAMPTZ NOT NULL
);

CREATE TABLE sessions (
    digest     BYTEA NOT NULL PRIMARY KEY,       -- SHA-256 of the cookie's value
    id         UUID NOT NULL UNIQUE,             -- what pages call it by
    user_id    UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    seen_at    TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    address    TEXT NOT NULL,
    user_agent TEXT NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_id);

CREATE TABLE setup_links (
    digest     BYTEA NOT NULL PRIMARY KEY,
    expires_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE login_attempts (
    subject       TEXT NOT NULL PRIMARY KEY,     -- account:… or address:…, hashed
    failures      BIGINT NOT NULL,
    blocked_until TIMESTAMPTZ NOT NULL
);

-- Written with every change, never updated or deleted. What concerns the installation as a whole has no tenant.
CREATE TABLE audit (
    id         UUID NOT NULL PRIMARY KEY,
    at         TIMESTAMPTZ NOT NULL,
    actor_id   UUID,
    actor      TEXT NOT NULL,
    address    TEXT,
    tenant_id  UUID,
    action     TEXT NOT NULL,                    -- 'token.revoke'
    object_id  TEXT NOT NULL,
    before     TEXT,                             -- JSON
    after      TEXT                              -- JSON
);
CREATE INDEX audit_of_tenant ON audit (tenant_id, id);

-- One row: bumped with every change of what the front door keeps in memory.
CREATE TABLE configuration (
    id      BIGINT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO configuration (id, version) VALUES (1, 1);

CREATE TABLE tenants (
    tenant_id    UUID NOT NULL PRIMARY KEY,
    name         TEXT NOT NULL,
    enabled      BOOLEAN NOT NULL,
    cors_origins TEXT NOT NULL,                  -- JSON array
    created_at   TIMESTAMPTZ NOT NULL
);

CREATE TABLE event_types (
    tenant_id     UUID NOT NULL,
    id            UUID NOT NULL,
    name          TEXT NOT NULL,
    description   TEXT NOT NULL,
    contract      TEXT NOT NULL,                 -- JSON Schema, 2020-12
    policy        TEXT NOT NULL,                 -- quarantine, refuse, warn
    unique_fields TEXT NOT NULL,                 -- JSON array of JSON pointers
    anonymous     BOOLEAN NOT NULL,
    enabled       BOOLEAN NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    updated_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE tokens (
    tenant_id         UUID NOT NULL,
    id                UUID NOT NULL,
    name              TEXT NOT NULL,
    prefix            TEXT NOT NULL,
    digest            BYTEA NOT NULL,            -- SHA-256 of the whole token
    event_types       TEXT,                      -- JSON array of ids; NULL: all
    addresses         TEXT,                      -- JSON array of networks; NULL: any
    can_configure     BOOLEAN NOT NULL,
    created_at        TIMESTAMPTZ NOT NULL,
    expires_at        TIMESTAMPTZ,
    revoked_at        TIMESTAMPTZ,
    last_used_at      TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX tokens_digest ON tokens (tenant_id, digest);

-- An event's id holds its moment of receipt (milliseconds), the receipt it belongs to and its place in the
-- request: see `src/events/mod.rs`. So the primary key also answers "newest first" and "what did this receipt hold".
CREATE TABLE events (
    tenant_id     UUID NOT NULL,
    id            UUID NOT NULL,
    event_type_id UUID NOT NULL,
    source_id     UUID,                          -- the token it came with; NULL: anonymous
    verdict       TEXT NOT NULL,                 -- accepted, quarantined
    payload       TEXT NOT NULL,                 -- exactly as sent
    errors        TEXT,                          -- JSON: why it is quarantined, or what was let pass with a warning
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX events_of_type ON events (tenant_id, event_type_id, id);
CREATE INDEX events_quarantined ON events (tenant_id, id) WHERE verdict = 'quarantined';

-- Only receipts that their events cannot tell by themselves: with duplicates, or asked for with an idempotency key.
CREATE TABLE receipts (
    tenant_id  UUID NOT NULL,
    id         UUID NOT NULL,
    status     BIGINT NOT NULL,
    accepted   BIGINT NOT NULL,
    duplicates TEXT NOT NULL,                    -- JSON: [[index, id of the event it repeats], …]
    rejected   TEXT NOT NULL,                    -- JSON, as answered
    warnings   TEXT NOT NULL,                    -- JSON, as answered
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE idempotency_keys (
    tenant_id  UUID NOT NULL,
    digest     BYTEA NOT NULL,                   -- SHA-256 of path and key
    body       BYTEA NOT NULL,                   -- SHA-256 of the body
    receipt_id UUID NOT NULL,
    PRIMARY KEY (tenant_id, digest)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (receipt_id);

CREATE TABLE unique_values (
    tenant_id     UUID NOT NULL,
    event_type_id UUID NOT NULL,
    digest        BYTEA NOT NULL,                -- SHA-256 of the unique field's value, first 16 bytes
    content       BYTEA NOT NULL,                -- SHA-256 of the payload, first 16 bytes
    event_id      UUID NOT NULL,
    PRIMARY KEY (tenant_id, event_type_id, digest)
);

-- One row a group commit: what has to follow it. Gone when done.
CREATE TABLE batches (
    id       UUID NOT NULL PRIMARY KEY,
    tallies  TEXT NOT NULL,                      -- JSON: see `src/db/lane/batch.rs`
    receipts BYTEA NOT NULL                      -- tenant and receipt id of each request, 32 bytes each
);

CREATE TABLE event_counts (
    tenant_id     UUID NOT NULL,
    event_type_id UUID NOT NULL,
    hour          TIMESTAMPTZ NOT NULL,
    accepted      BIGINT NOT NULL,
    quarantined   BIGINT NOT NULL,
    duplicates    BIGINT NOT NULL,
    last_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, event_type_id, hour)
);
CREATE INDEX event_counts_by_hour ON event_counts (hour);
