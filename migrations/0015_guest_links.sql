-- One way for guests: a link by which somebody without an account is let into one thing. Following it shows a button;
-- only that uses it up and begins a session that is good for this one thing alone.
CREATE TABLE guest_links (
    tenant_id          UUID NOT NULL,
    id                 UUID NOT NULL,
    opens              TEXT NOT NULL,            -- intake, quotation, portal: src/guests/mod.rs
    subject_id         UUID NOT NULL,            -- the integration, or the version of the quotation
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
CREATE INDEX guest_links_digest ON guest_links (digest);
CREATE INDEX guest_links_session ON guest_links (session_digest);
CREATE INDEX guest_links_subject ON guest_links (tenant_id, subject_id);

INSERT INTO guest_links (tenant_id, id, opens, subject_id, digest, for_whom, made_by, made_at, expires_at, used_at,
    revoked_at, session_digest, session_expires_at)
SELECT tenant_id, id, 'intake', integration_id, digest, for_whom, made_by, made_at, expires_at, used_at, revoked_at,
    session_digest, session_expires_at FROM intake_links;
INSERT INTO guest_links (tenant_id, id, opens, subject_id, digest, for_whom, made_by, made_at, expires_at, used_at,
    revoked_at, session_digest, session_expires_at)
SELECT tenant_id, id, 'quotation', quotation_id, digest, for_whom, made_by, made_at, expires_at, used_at, revoked_at,
    session_digest, session_expires_at FROM quotation_links;

DROP TABLE intake_links;
DROP TABLE quotation_links;
