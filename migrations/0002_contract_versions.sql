-- Every contract that was ever active, numbered from 1 within its type. Never updated or deleted: the row with the
-- highest number holds the text that event_types.contract holds, and rolling back adds one on top.
CREATE TABLE contract_versions (
    tenant_id     UUID NOT NULL,
    event_type_id UUID NOT NULL,
    number        BIGINT NOT NULL,
    contract      TEXT NOT NULL,                 -- JSON Schema, 2020-12
    made_at       TIMESTAMPTZ NOT NULL,
    made_by       TEXT,                          -- as the audit trail names them; NULL: before versions were kept
    note          TEXT,
    restores      BIGINT,                        -- the number of the version that was rolled back to
    PRIMARY KEY (tenant_id, event_type_id, number)
);

-- The contract that is being worked on: one a type at most, gone when it is activated or discarded.
CREATE TABLE contract_drafts (
    tenant_id     UUID NOT NULL,
    event_type_id UUID NOT NULL,
    contract      TEXT NOT NULL,
    base          BIGINT NOT NULL,               -- the version that was active when it was begun
    updated_at    TIMESTAMPTZ NOT NULL,
    updated_by    TEXT NOT NULL,
    PRIMARY KEY (tenant_id, event_type_id)
);

INSERT INTO contract_versions (tenant_id, event_type_id, number, contract, made_at)
SELECT tenant_id, id, 1, contract, updated_at FROM event_types;
