-- Tables of jobs/session-ip.yaml. May be run again: what exists stays.
CREATE TABLE IF NOT EXISTS session_events_aggregated_ip (
    start_session TIMESTAMP(3),
    end_session TIMESTAMP(3),
    ip VARCHAR,
    host VARCHAR,
    web_events BIGINT
);
