-- Purpose: a write that is repeated is told from another one that carries the same idempotency key.
-- Locks: larder.write, for an instant.
-- Duration: milliseconds; nothing is rewritten.

ALTER TABLE larder.write
    -- SHA-256 of what was asked for under the key: the rows as they came, and what was to become of them. Null without a
    -- key, where the key is itself a digest of that, and in writes from before.
    ADD COLUMN request_digest bytea;
