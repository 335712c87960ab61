-- People: who may come in, how they get back in, the second factor, and mail on its way out.

-- Settings of the installation: one row. Locking it is also what makes "the last administrator" one question at a
-- time.
CREATE TABLE installation (
    id                    BIGINT NOT NULL PRIMARY KEY,
    require_second_factor BOOLEAN NOT NULL        -- of everybody but customers
);
INSERT INTO installation (id, require_second_factor) VALUES (1, FALSE);

ALTER TABLE users ADD COLUMN deactivated_at TIMESTAMPTZ; -- set: cannot sign in
ALTER TABLE users ADD COLUMN seen_at TIMESTAMPTZ;        -- last request, to the minute; outlives the session

-- An account that is offered. It comes about when its owner follows the link, and the row goes.
CREATE TABLE invitations (
    id         UUID NOT NULL PRIMARY KEY,
    digest     BYTEA NOT NULL UNIQUE,            -- SHA-256 of the link's secret
    email      TEXT NOT NULL UNIQUE,             -- lower case
    name       TEXT,                             -- what the form begins with
    role       TEXT NOT NULL,
    tenant_id  UUID,
    invited_by TEXT NOT NULL,                    -- as the audit trail names them
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX invitations_of_tenant ON invitations (tenant_id);

CREATE TABLE password_resets (
    user_id    UUID NOT NULL PRIMARY KEY,        -- the newest link alone works
    digest     BYTEA NOT NULL UNIQUE,
    expires_at TIMESTAMPTZ NOT NULL
);

-- The password was right, the code of the second factor is still to come. Good for nothing else.
CREATE TABLE half_logins (
    digest     BYTEA NOT NULL PRIMARY KEY,       -- SHA-256 of the cookie's value
    user_id    UUID NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX half_logins_of_user ON half_logins (user_id);

CREATE TABLE second_factors (
    user_id      UUID NOT NULL PRIMARY KEY,
    secret       BYTEA NOT NULL,                 -- sealed: see src/crypto/seal.rs
    created_at   TIMESTAMPTZ NOT NULL,
    confirmed_at TIMESTAMPTZ,                    -- NULL: being set up, asks nobody for anything yet
    last_step    BIGINT NOT NULL                 -- of the last code that was good: no code is good twice
);

CREATE TABLE recovery_codes (
    user_id UUID NOT NULL,
    digest  BYTEA NOT NULL,                      -- SHA-256 of the owner's id and the code
    used_at TIMESTAMPTZ,
    PRIMARY KEY (user_id, digest)
);

-- Mail on its way out. What it says is sealed, since links in it let people in, and is dropped once it is sent.
CREATE TABLE outbox (
    id          UUID NOT NULL PRIMARY KEY,
    about       TEXT NOT NULL,                   -- 'user:…', 'invitation:…': whose page tells what became of it
    recipient   TEXT NOT NULL,
    subject     TEXT NOT NULL,
    body        BYTEA,                           -- sealed JSON; NULL once sent or given up
    state       TEXT NOT NULL,                   -- waiting, sent, failed
    attempts    BIGINT NOT NULL,
    next_at     TIMESTAMPTZ NOT NULL,            -- not before; while it is being sent: when that is taken for dead
    give_up_at  TIMESTAMPTZ NOT NULL,
    fault       TEXT,                            -- why the last attempt failed
    created_at  TIMESTAMPTZ NOT NULL,
    done_at     TIMESTAMPTZ
);
CREATE INDEX outbox_waiting ON outbox (next_at) WHERE state = 'waiting';
CREATE INDEX outbox_about ON outbox (about, id);
