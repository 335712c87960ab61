-- The zone that times are told in, by its IANA name; none: UTC.
ALTER TABLE users ADD COLUMN time_zone TEXT;
