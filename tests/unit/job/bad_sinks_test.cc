#include "tests/unit/job/bad_job.h"

namespace watershed::testing {
namespace {

const BadJob kBadSinks[] = {
    {"InputMissing", R"(    input: sessions
)",
     "",
     R"(job.yaml:24:3: error: sink 'out': 'input' is missing; expected a source or an operator)"},
    {"InputUnknown", "input: sessions", "input: session",
     R"(job.yaml:25:12: error: sink 'out': unknown input 'session', did you mean 'sessions'?)"},
    {"ConnectorUnknown", "connector: print", "connector: postgresql",
     R"(job.yaml:26:16: error: unknown connector 'postgresql', did you mean 'postgres'?)"},
    {"ConnectorIsNoSink", "connector: print", "connector: datagen",
     R"(job.yaml:26:16: error: connector 'datagen' cannot be a sink; expected one of blackhole, filesystem, kafka, postgres, print)"},
    {"OptionUnknown", "connector: print", R"(connector: print
    print-identifer: x)",
     R"(job.yaml:27:5: error: sink 'out': unknown option 'print-identifer' of connector 'print', did you mean 'print-identifier'?)"},
    {"OptionMissing", "connector: print", R"(connector: postgres
    table-name: t)",
     R"(job.yaml:24:3: error: sink 'out': connector 'postgres' needs the option 'url': jdbc:postgresql://host:5432/db or postgresql://host:5432/db)"},
    {"UrlWrong", "connector: print", R"(connector: postgres
    table-name: t
    url: mysql://u:topsecret@h/db)",
     R"(job.yaml:28:10: error: the database URL must look like jdbc:postgresql://host:5432/db or postgresql://host:5432/db)"},
    {"BoolWrong", "connector: print", R"(connector: postgres
    table-name: t
    url: postgresql://h/db
    create-tables: maybe)",
     R"(job.yaml:29:20: error: 'create-tables': expected true or false, found 'maybe')"},
    {"DurationBare", "connector: print", R"(connector: postgres
    table-name: t
    url: postgresql://h/db
    connect-timeout: 10)",
     R"(job.yaml:29:22: error: 'connect-timeout': expected a duration with its unit, such as 500ms, 10s or 5min, found '10')"},
    {"FormatMissing", "connector: print", R"(connector: kafka
    topic: t
    properties.bootstrap.servers: h:1)",
     R"(job.yaml:24:3: error: sink 'out': connector 'kafka' needs a 'format', such as json)"},
    {"PathRelative", "connector: print", R"(connector: filesystem
    path: data/hits
    format: json)",
     R"(job.yaml:27:11: error: 'data/hits' does not name a directory by its absolute path; write file:///directory)"},
    {"CsvDelimiterTooLong", "connector: print", R"(connector: filesystem
    path: /data
    format: { type: csv, field-delimiter: ab })",
     R"(job.yaml:28:43: error: sink 'out': field-delimiter is 'ab': expected one ASCII character that ends no line)"},
    {"CsvDelimiterIsTheQuote", "connector: print", R"(connector: filesystem
    path: /data
    format: { type: csv, quote-character: ',' })",
     R"(job.yaml:28:43: error: sink 'out': field-delimiter and quote-character are both ',')"},
    {"CsvNullLiteral", "connector: print", R"(connector: filesystem
    path: /data
    format: { type: csv, field-delimiter: ;, null-literal: a;b })",
     R"(job.yaml:28:60: error: sink 'out': null-literal 'a;b' has the delimiter, the quote or a line's end in it)"},
    {"FormatUnneeded", "connector: print", R"(connector: print
    format: json)",
     R"(job.yaml:27:13: error: sink 'out': connector 'print' has no 'format'; remove it)"},
    {"ColumnUnknown", "connector: print", R"(connector: print
    columns: { start: window_strat })",
     R"(job.yaml:27:23: error: sink 'out': unknown column 'window_strat', did you mean 'window_start'?)"},
    {"ColumnTargetTwice", "connector: print", R"(connector: print
    columns: { a: ip, a: host })",
     R"(job.yaml:27:23: error: sink 'out': 'columns': 'a' is given twice, first in line 27)"},
    {"ColumnsEmpty", "connector: print", R"(connector: print
    columns: {})",
     R"(job.yaml:27:5: error: sink 'out': 'columns': expected at least one column)"},
    {"ColumnPatternOnAString", "connector: print", R"(connector: kafka
    topic: t
    properties.bootstrap.servers: h:1
    format: json
    columns: { ip: { column: ip, pattern: yyyy } })",
     R"(job.yaml:30:43: error: column 'ip': only timestamps have a 'pattern', this is a string)"},
    {"ColumnPatternWithoutFormat", "connector: print", R"(connector: print
    columns: { t: { column: window_start, epoch: ms } })",
     R"(job.yaml:27:50: error: column 't': 'epoch' needs a 'format'; without one there is no payload)"},
    {"SeveralErrorsAtOnce", R"(    gap: 5min
    key: [ip, host]
    aggregate: { n: count(*) }
sinks:
  out:
    input: sessions
    connector: print
)",
     R"(    gap: 5
    key: [ip, hots]
    aggregate: { n: cont(*) }
sinks:
  out:
    input: sesions
    connector: prnt
)",
     R"(job.yaml:20:10: error: 'gap': expected a duration with its unit, such as 500ms, 10s, 5min, 1h or 1d, found the bare number '5'
job.yaml:21:15: error: operator 'sessions': unknown column 'hots', did you mean 'host'?
job.yaml:22:21: error: aggregate 'n': unknown function 'cont', did you mean 'count'?
job.yaml:25:12: error: sink 'out': unknown input 'sesions', did you mean 'sessions'?
job.yaml:26:16: error: unknown connector 'prnt', did you mean 'print'?)"},
};

INSTANTIATE_TEST_SUITE_P(Sinks, BadJobTest, ::testing::ValuesIn(kBadSinks), NameOfBadJob);

}  // namespace
}  // namespace watershed::testing
