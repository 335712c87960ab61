-- The zone that times are told in, by its IANA name; none: UTC.
ALTER TABLE users ADD COLUMN time_zone TEXT;

-- Requests to the address of an event type that were refused: nothing else is left of them.
CREATE TABLE refused_requests (
    tenant_id     UUID NOT NULL,
    event_type_id UUID NOT NULL,
    hour          TIMESTAMPTZ NOT NULL,
    status        BIGINT NOT NULL,
    requests      BIGINT NOT NULL,
    last_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, event_type_id, hour, status)
);
CREATE INDEX refused_requests_by_hour ON refused_requests (hour);
