-- What customers answer to the tasks of their side: words, and perhaps a file.
CREATE TABLE task_answers (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    id             UUID NOT NULL,
    task_id        UUID NOT NULL,
    words          TEXT NOT NULL,
    file_name      TEXT,                         -- NULL: no file
    size           BIGINT NOT NULL,              -- of the file, in bytes
    content        BYTEA,
    answered_by    TEXT NOT NULL,
    answered_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, id)
);

-- A link by which anybody sees how one integration fares, as long as its customer wants that.
CREATE TABLE status_links (
    tenant_id      UUID NOT NULL,
    integration_id UUID NOT NULL,
    id             UUID NOT NULL,
    digest         BYTEA NOT NULL UNIQUE,        -- SHA-256 of the link's secret
    made_by        TEXT NOT NULL,
    made_at        TIMESTAMPTZ NOT NULL,
    revoked_at     TIMESTAMPTZ,
    PRIMARY KEY (tenant_id, integration_id, id)
);
