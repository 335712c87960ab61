-- From intake on: integrations, what is asked and found out about them, and how they got where they are.

-- One need of a customer, met by one external system. It is retired, never deleted.
CREATE TABLE integrations (
    tenant_id         UUID NOT NULL,
    id                UUID NOT NULL,
    name              TEXT NOT NULL,
    system_name       TEXT NOT NULL,             -- as people write it
    system_key        TEXT NOT NULL,             -- the same in small letters and digits: what earlier intakes are found by
    system_kind       TEXT NOT NULL,
    need              TEXT NOT NULL,
    owner_id          UUID,                      -- whose it is here; NULL: nobody's yet
    customer_people   TEXT NOT NULL,             -- one a line
    vendor_people     TEXT NOT NULL,
    stage             TEXT NOT NULL,
    stage_since       TIMESTAMPTZ NOT NULL,
    scenario          TEXT,                      -- NULL: not chosen yet
    next_step         TEXT NOT NULL,
    turn              TEXT NOT NULL,             -- us, customer, vendor
    turn_since        TIMESTAMPTZ NOT NULL,
    endpoint_type_id  UUID,                      -- the temporary event type that shows what their system sends
    endpoint_token_id UUID,
    created_by        TEXT NOT NULL,             -- as the audit trail names them
    created_at        TIMESTAMPTZ NOT NULL,
    updated_at        TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX integrations_of_system ON integrations (system_key);

CREATE TABLE integration_timeline (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    id             UUID NOT NULL,
    at             TIMESTAMPTZ NOT NULL,
    who            TEXT NOT NULL,
    what           TEXT NOT NULL,                -- in words
    why            TEXT NOT NULL,                -- may be empty
    act            TEXT,                         -- set when it is a step on the way: src/intake/stage.rs
    stage          TEXT,                         -- where it led to
    PRIMARY KEY (tenant_id, integration_id, id)
);

-- What was answered to the questions of src/intake/questions.rs.
CREATE TABLE intake_answers (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    question       TEXT NOT NULL,
    answer         TEXT NOT NULL,
    answered_by    TEXT NOT NULL,
    answered_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, question)
);

-- The technical check list: src/intake/checks.rs.
CREATE TABLE intake_checks (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    item           TEXT NOT NULL,
    known          TEXT NOT NULL,                -- yes, no, unknown
    note           TEXT NOT NULL,
    source         TEXT NOT NULL,                -- person, earlier, sample, endpoint, probe
    set_by         TEXT NOT NULL,
    set_at         TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, item)
);

CREATE TABLE intake_verdicts (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    question       TEXT NOT NULL,                -- technical, need
    answer         TEXT NOT NULL,                -- yes, unsure, no
    confidence     TEXT NOT NULL,
    owner_id       UUID,
    evidence       TEXT NOT NULL,
    open_questions TEXT NOT NULL,                -- one a line
    given_by       TEXT NOT NULL,
    given_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, question)
);

-- What was seen: in samples, in what their system sent, by asking it. Never what the samples held.
CREATE TABLE intake_evidence (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    id             UUID NOT NULL,
    source         TEXT NOT NULL,
    title          TEXT NOT NULL,
    findings       TEXT NOT NULL,                -- JSON: name and value, in order
    contract       TEXT,                         -- the contract that it proposes
    definition     TEXT,                         -- the source that it proposes, as a SOURCE.json without a token
    added_by       TEXT NOT NULL,
    added_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, id)
);

-- A link by which a customer answers an intake without an account. Following it shows a button; only that uses it up
-- and begins a session that is good for this intake alone.
CREATE TABLE intake_links (
    tenant_id          UUID NOT NULL,
    id                 UUID NOT NULL,
    integration_id     UUID NOT NULL,
    digest             BYTEA NOT NULL,           -- SHA-256 of the link's secret
    for_whom           TEXT NOT NULL,
    made_by            TEXT NOT NULL,
    made_at            TIMESTAMPTZ NOT NULL,
    expires_at         TIMESTAMPTZ NOT NULL,
    used_at            TIMESTAMPTZ,
    revoked_at         TIMESTAMPTZ,
    session_digest     BYTEA,                    -- SHA-256 of the cookie's value
    session_expires_at TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX intake_links_digest ON intake_links (digest);
CREATE INDEX intake_links_session ON intake_links (session_digest);

CREATE TABLE investigations (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    goal           TEXT NOT NULL,
    minutes        BIGINT NOT NULL,              -- the time box
    due_on         TEXT NOT NULL,                -- 2026-12-31; empty: no date
    started_at     TIMESTAMPTZ NOT NULL,
    conclusion     TEXT NOT NULL,                -- how it ended, in words; empty: it has not
    concluded_at   TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, integration_id)
);

CREATE TABLE investigation_questions (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    id             UUID NOT NULL,
    question       TEXT NOT NULL,
    method         TEXT NOT NULL,                -- how it is found out
    owner          TEXT NOT NULL,                -- who finds out: of any side
    answer         TEXT NOT NULL,                -- empty: open
    evidence       TEXT NOT NULL,
    changed_by     TEXT NOT NULL,
    changed_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, id)
);

CREATE TABLE investigation_time (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    id             UUID NOT NULL,
    day            TEXT NOT NULL,                -- 2026-12-31
    minutes        BIGINT NOT NULL,
    what           TEXT NOT NULL,
    who            TEXT NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, id)
);
