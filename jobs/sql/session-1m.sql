-- Tables of jobs/session-1m.yaml. May be run again: what exists stays.
CREATE TABLE IF NOT EXISTS session_events_aggregated (
    event_hour TIMESTAMP(3),
    ip VARCHAR,
    host VARCHAR,
    num_hits BIGINT
);
