-- A token that was rolled has a successor, and works until its overlap ends.
ALTER TABLE tokens ADD COLUMN predecessor_id UUID;
ALTER TABLE tokens ADD COLUMN successor_id UUID;
ALTER TABLE tokens ADD COLUMN overlap_ends_at TIMESTAMPTZ;

-- How a token was last used, as the front door saw it; written every few seconds, never by a request.
CREATE TABLE token_uses (
    tenant_id       UUID NOT NULL,
    token_id        UUID NOT NULL,
    used_at         TIMESTAMPTZ,                 -- the last time that it let somebody in
    address         TEXT,
    agent           TEXT,                        -- the family of the user agent
    place           TEXT,                        -- header, bearer, query
    query_at        TIMESTAMPTZ,                 -- the last time that it stood in an address
    browser_at      TIMESTAMPTZ,                 -- the last time that it came with an Origin
    origin          TEXT,                        -- that Origin
    refused_at      TIMESTAMPTZ,                 -- the last time that it was not good enough
    refused_why     TEXT,                        -- ended, network
    refused_address TEXT,
    PRIMARY KEY (tenant_id, token_id)
);

-- Where it came from: a /24 or a /48 each. At most 100 a token.
CREATE TABLE token_networks (
    tenant_id UUID NOT NULL,
    token_id  UUID NOT NULL,
    network   TEXT NOT NULL,
    first_at  TIMESTAMPTZ NOT NULL,
    last_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, token_id, network)
);

-- The request that made the change: the log names it too. NULL: not by a request.
ALTER TABLE audit ADD COLUMN request_id UUID;
CREATE INDEX audit_of_object ON audit (tenant_id, object_id, id);
