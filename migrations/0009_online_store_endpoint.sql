-- Purpose: say which Redis the online data was published to, where servers are set to different ones.
-- Locks: larder.online_store, for an instant.
-- Duration: milliseconds; nothing is rewritten.

ALTER TABLE larder.online_store
    -- As a URL without user and password. Null where an older version published.
    ADD COLUMN redis_endpoint text COLLATE "C";
