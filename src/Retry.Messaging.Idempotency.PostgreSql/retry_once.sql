CREATE SEQUENCE IF NOT EXISTS retry_once_token AS bigint;
CREATE TABLE IF NOT EXISTS retry_once (
    consumer    text        NOT NULL,
    key         text        NOT NULL,
    token       bigint      NOT NULL,
    hash        text        NOT NULL,
    state       smallint    NOT NULL,
    content     bytea       NULL,
    lease_until timestamptz NOT NULL,
    changed_at  timestamptz NOT NULL,
    PRIMARY KEY (consumer, key));
CREATE INDEX IF NOT EXISTS retry_once_key ON retry_once (key);
CREATE INDEX IF NOT EXISTS retry_once_changed_at ON retry_once (changed_at);
