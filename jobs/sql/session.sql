-- Tables of jobs/session.yaml. May be run again: what exists stays.
CREATE TABLE IF NOT EXISTS sessionized_events (
    ip VARCHAR,
    host VARCHAR,
    session_start TIMESTAMP(3),
    session_end TIMESTAMP(3),
    num_logs BIGINT
);
