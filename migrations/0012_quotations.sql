-- Quotations: what the work of an integration costs, in numbered versions of which at most one is open at a time.

CREATE TABLE quotations (
    tenant_id       UUID NOT NULL,
    id              UUID NOT NULL,
    integration_id  UUID NOT NULL,
    number          BIGINT NOT NULL,             -- of the version, within the integration
    state           TEXT NOT NULL,               -- src/intake/quotation/state.rs
    content         TEXT NOT NULL,               -- JSON: src/intake/quotation/content.rs
    minutes         BIGINT NOT NULL,             -- of all lines; these four are what the content says
    currency        TEXT NOT NULL,
    net             BIGINT NOT NULL,             -- in minor units, without VAT
    gross           BIGINT NOT NULL,
    revision        BIGINT NOT NULL,             -- counts changes: a form that was opened on an older one changes nothing
    written_by      TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    submitted_by    TEXT,
    approved_by     TEXT,
    approved_at     TIMESTAMPTZ,
    sent_by         TEXT,
    sent_at         TIMESTAMPTZ,
    document_digest TEXT,                        -- SHA-256 of the frozen document, in hex
    pdf_digest      TEXT,                        -- of the PDF of it
    viewed_at       TIMESTAMPTZ,
    decided_by      TEXT,                        -- who of the customer, as they write their name
    decided_role    TEXT,
    decided_from    TEXT,                        -- from which address
    decided_at      TIMESTAMPTZ,
    reason          TEXT NOT NULL,               -- why it was returned, declined or withdrawn; may be empty
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX quotations_number ON quotations (tenant_id, integration_id, number);
CREATE INDEX quotations_document ON quotations (document_digest);
CREATE INDEX quotations_pdf ON quotations (pdf_digest);

-- What was sent, byte for byte. Rows are written once and never changed.
CREATE TABLE quotation_files (
    tenant_id    UUID NOT NULL,
    quotation_id UUID NOT NULL,
    document     TEXT NOT NULL,                  -- JSON
    pdf          BYTEA NOT NULL,
    PRIMARY KEY (tenant_id, quotation_id)
);

-- A link by which a customer sees and answers a quotation without an account: as intake_links.
CREATE TABLE quotation_links (
    tenant_id          UUID NOT NULL,
    id                 UUID NOT NULL,
    quotation_id       UUID NOT NULL,
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
CREATE INDEX quotation_links_digest ON quotation_links (digest);
CREATE INDEX quotation_links_session ON quotation_links (session_digest);
