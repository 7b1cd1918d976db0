#include "tests/unit/job/bad_job.h"

namespace watershed::testing {
namespace {

const BadJob kBadOperators[] = {
    {"TypeMissing", R"(    type: session-window
)",
     "",
     R"(job.yaml:17:3: error: operator 'sessions': 'type' is missing; expected project, tumbling-window or session-window)"},
    {"TypeUnknown", "session-window", "session",
     R"(job.yaml:19:11: error: 'type': 'session' is not one of its values, did you mean 'session-window'?)"},
    {"FieldUnknown", "gap: 5min", R"(gap: 5min
    sise: 5min)",
     R"(job.yaml:21:5: error: operator 'sessions': unknown field 'sise'; expected one of aggregate, gap, input, key, late, parallelism, type, window-end, window-start)"},
    {"FieldOfAnotherType", "gap: 5min", R"(gap: 5min
    size: 5min)",
     R"(job.yaml:21:5: error: operator 'sessions': unknown field 'size'; expected one of aggregate, gap, input, key, late, parallelism, type, window-end, window-start)"},
    {"GapMissing", R"(    gap: 5min
)",
     "",
     R"(job.yaml:17:3: error: operator 'sessions': 'gap' is missing; expected a duration such as 5min)"},
    {"GapBare", "gap: 5min", "gap: 300",
     R"(job.yaml:20:10: error: 'gap': expected a duration with its unit, such as 500ms, 10s, 5min, 1h or 1d, found the bare number '300')"},
    {"GapUnitUnknown", "gap: 5min", "gap: 5 minuets",
     R"(job.yaml:20:10: error: 'gap': expected a duration with its unit, such as 500ms, 10s, 5min, 1h or 1d, found '5 minuets')"},
    {"GapZero", "gap: 5min", "gap: 0s",
     R"(job.yaml:20:10: error: 'gap': expected at least 1ms, found '0s')"},
    {"OffsetTooLong", R"(    type: session-window
    gap: 5min
)",
     R"(    type: tumbling-window
    size: 5min
    offset: 5min
)",
     R"(job.yaml:21:13: error: 'offset': expected less than the window's size)"},
    {"InputMissing", R"(    input: events
)",
     "",
     R"(job.yaml:17:3: error: operator 'sessions': 'input' is missing; expected a source or another operator)"},
    {"InputUnknown", "input: events", "input: event",
     R"(job.yaml:18:12: error: operator 'sessions': unknown input 'event', did you mean 'events'?)"},
    {"InputIsASink", "input: events", "input: out",
     R"(job.yaml:18:12: error: operator 'sessions': input 'out' is a sink, which has no output)"},
    {"InputIsItself", "input: events", "input: sessions",
     R"(job.yaml:18:12: error: operator 'sessions': its input comes from its own output: sessions → sessions)"},
    {"Cycle", R"(  sessions:
    input: events
)",
     R"(  a:
    input: b
    type: project
    columns: [ip, host, event_time]
  b:
    input: a
    type: project
    columns: [ip, host, event_time]
  sessions:
    input: b
)",
     R"(job.yaml:18:12: error: operator 'a': its input comes from its own output: a → b → a)"},
    {"KeyUnknown", "[ip, host]", "[ip, hosts]",
     R"(job.yaml:21:15: error: operator 'sessions': unknown column 'hosts', did you mean 'host'?)"},
    {"ColumnsCountCharacters", "[ip, host]", R"(["ÄÖÜ", hots])",
     R"(job.yaml:21:11: error: operator 'sessions': unknown column 'ÄÖÜ'; expected one of event_time, host, ip, size
job.yaml:21:18: error: operator 'sessions': unknown column 'hots', did you mean 'host'?)"},
    {"KeyGivenTwice", "[ip, host]", "[ip, host, ip]",
     R"(job.yaml:21:21: error: 'key': 'ip' is given twice)"},
    {"AggregateMissing", R"(    aggregate: { n: count(*) }
)",
     "",
     R"(job.yaml:17:3: error: operator 'sessions': 'aggregate' is missing; expected a map such as { n: count(*) })"},
    {"AggregateEmpty", "{ n: count(*) }", "{}",
     R"(job.yaml:22:5: error: operator 'sessions': 'aggregate': expected at least one, such as n: count(*))"},
    {"AggregateNoCall", "count(*)", "count",
     R"(job.yaml:22:21: error: aggregate 'n': expected a call such as count(*) or sum(column), found 'count')"},
    {"FunctionUnknown", "count(*)", "median(size)",
     R"(job.yaml:22:21: error: aggregate 'n': unknown function 'median'; expected one of avg, count, max, min, sum)"},
    {"FunctionNearlyKnown", "count(*)", "cuont(*)",
     R"(job.yaml:22:21: error: aggregate 'n': unknown function 'cuont', did you mean 'count'?)"},
    {"AggregateColumnUnknown", "count(*)", "sum(bytes)",
     R"(job.yaml:22:21: error: operator 'sessions': unknown column 'bytes'; expected one of event_time, host, ip, size)"},
    {"AggregateWithoutColumn", "count(*)", "sum(*)",
     R"(job.yaml:22:21: error: aggregate 'n': sum needs a column)"},
    {"AggregateTypeWrong", "count(*)", "sum(host)",
     R"(job.yaml:22:21: error: operator 'sessions': aggregate 'n': sum does not take a column of type string; it takes int, bigint, double)"},
    {"AggregateOfAString", "count(*)", "max(ip)",
     R"(job.yaml:22:21: error: operator 'sessions': aggregate 'n': max does not take a column of type string; it takes int, bigint, double, timestamp)"},
    {"OutputNamesClash", "{ n: count(*) }", "{ ip: count(*) }",
     R"(job.yaml:22:18: error: operator 'sessions': two output columns are named 'ip')"},
    {"WindowStartClash", "key: [ip, host]", R"(key: [ip, host]
    window-start: host)",
     R"(job.yaml:22:19: error: operator 'sessions': two output columns are named 'host')"},
    {"LateUnknown", "gap: 5min", R"(gap: 5min
    late: keep)",
     R"(job.yaml:21:11: error: 'late': expected drop or { to: NAME }, found 'keep')"},
    {"LateUnused", "gap: 5min", R"(gap: 5min
    late: { to: late_events })",
     R"(job.yaml:21:17: error: late rows 'late_events' are never used: make 'late_events' the input of an operator or a sink, or remove it)"},
    {"LateNameClash", "gap: 5min", R"(gap: 5min
    late: { to: events })",
     R"(job.yaml:21:17: error: late rows 'events': the name is already that of source 'events'; sources, operators, late rows and sinks share one name space)"},
    {"NoEventTime", R"(    watermark: { column: event_time, delay: 15s }
)",
     "",
     R"(job.yaml:17:12: error: operator 'sessions': a window needs an event time, but source 'events' has none: give it a 'watermark')"},
    {"EventTimeProjectedAway", R"(  sessions:
    input: events
)",
     R"(  slim:
    input: events
    type: project
    columns: [ip, host]
  sessions:
    input: slim
)",
     R"(job.yaml:22:12: error: operator 'sessions': a window needs an event time, but operator 'slim' has none: keep its event-time column in 'columns')"},
    {"WindowOnAWindow", R"(sinks:
)",
     R"(  again:
    input: sessions
    type: tumbling-window
    size: 1h
    aggregate: { n: count(*) }
sinks:
)",
     R"(job.yaml:23:3: error: operator 'again' is never used: make 'again' the input of an operator or a sink, or remove it
job.yaml:24:12: error: operator 'again': a window needs an event time, but operator 'sessions' has none: results of windows carry none)"},
    {"OperatorUnused", R"(sinks:
)",
     R"(  slim:
    input: events
    type: project
    columns: [ip]
sinks:
)",
     R"(job.yaml:23:3: error: operator 'slim' is never used: make 'slim' the input of an operator or a sink, or remove it)"},
    {"ProjectColumnsEmpty", R"(sinks:
  out:
    input: sessions
)",
     R"(  slim:
    input: sessions
    type: project
    columns: []
sinks:
  out:
    input: slim
)",
     R"(job.yaml:26:5: error: operator 'slim': 'columns': expected at least one column)"},
    {"ProjectColumnUnknown", R"(sinks:
  out:
    input: sessions
)",
     R"(  slim:
    input: sessions
    type: project
    columns: { address: ipp, n: n }
sinks:
  out:
    input: slim
)",
     R"(job.yaml:26:25: error: operator 'slim': unknown column 'ipp', did you mean 'ip'?)"},
    {"ProjectHasNoParallelism", R"(sinks:
  out:
    input: sessions
)",
     R"(  slim:
    input: sessions
    type: project
    columns: [ip]
    parallelism: 2
sinks:
  out:
    input: slim
)",
     R"(job.yaml:27:5: error: operator 'slim': unknown field 'parallelism'; expected one of columns, input, type)"},
};

INSTANTIATE_TEST_SUITE_P(Operators, BadJobTest, ::testing::ValuesIn(kBadOperators), NameOfBadJob);

}  // namespace
}  // namespace watershed::testing
