-- Implementations: what is to be done from the accepted quotation to the day it is live, what is to be configured, and
-- what has to be seen before.

-- A work package of an accepted quotation, or what comes before and after all of them.
CREATE TABLE implementation_phases (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    id             UUID NOT NULL,
    place          BIGINT NOT NULL,
    title          TEXT NOT NULL,
    quotation_id   UUID,                         -- the version whose line it is; NULL: nobody quoted it by itself
    minutes        BIGINT NOT NULL,              -- as quoted
    waived_by      TEXT,                         -- set: it goes live without evidence of its own
    waived_at      TIMESTAMPTZ,
    waived_why     TEXT,
    PRIMARY KEY (tenant_id, integration_id, id)
);

CREATE TABLE implementation_tasks (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    id             UUID NOT NULL,
    phase_id       UUID NOT NULL,
    place          BIGINT NOT NULL,
    title          TEXT NOT NULL,
    note           TEXT NOT NULL,
    side           TEXT NOT NULL,                -- us, customer, vendor
    owner_id       UUID,                         -- whose it is here
    due_on         TEXT NOT NULL,                -- 2026-12-31; empty: no date
    needs          TEXT NOT NULL,                -- JSON array of ids: what has to be done before
    draft_id       UUID,                         -- done by turning this draft into what it drafts
    created_at     TIMESTAMPTZ NOT NULL,
    done_at        TIMESTAMPTZ,
    done_by        TEXT,
    PRIMARY KEY (tenant_id, integration_id, id)
);

-- What is to be configured. The id of the draft of an event type is that of the type which it becomes.
CREATE TABLE implementation_drafts (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    id             UUID NOT NULL,
    place          BIGINT NOT NULL,
    kind           TEXT NOT NULL,                -- event-type, token, source
    name           TEXT NOT NULL,
    body           TEXT NOT NULL,                -- a contract, or a SOURCE.json without its token; of a token: nothing
    event_type_id  UUID,                         -- what records become, or what the token is good for
    settled_by     TEXT,                         -- who turned it into the real thing, or dropped it
    settled_at     TIMESTAMPTZ,
    made_id        UUID,                         -- what it became; NULL and settled: it was dropped
    PRIMARY KEY (tenant_id, integration_id, id)
);

-- What has to be seen in live data before it goes live.
CREATE TABLE acceptance_evidence (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    id             UUID NOT NULL,
    phase_id       UUID NOT NULL,
    place          BIGINT NOT NULL,
    event_type_id  UUID NOT NULL,
    rule           TEXT NOT NULL,                -- JSON: src/intake/implementation/evidence.rs
    waived_by      TEXT,
    waived_at      TIMESTAMPTZ,
    waived_why     TEXT,
    met            BOOLEAN NOT NULL,             -- these three: as it was measured when it went live
    told           TEXT NOT NULL,
    measured_at    TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, integration_id, id)
);

CREATE TABLE implementation_time (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    id             UUID NOT NULL,
    phase_id       UUID NOT NULL,
    day            TEXT NOT NULL,                -- 2026-12-31
    minutes        BIGINT NOT NULL,
    what           TEXT NOT NULL,
    who            TEXT NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, id)
);

-- Set: a change order, which adds to that accepted version.
ALTER TABLE quotations ADD COLUMN adds_to UUID;
