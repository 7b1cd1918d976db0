#include "tests/unit/job/bad_job.h"

namespace watershed::testing {
namespace {

const BadJob kBadSources[] = {
    {"ConnectorMissing", R"(    connector: kafka
)",
     "",
     R"(job.yaml:4:3: error: source 'events': 'connector' is missing; expected a connector such as kafka)"},
    {"ConnectorUnknown", "connector: kafka", "connector: kafak",
     R"(job.yaml:5:16: error: unknown connector 'kafak', did you mean 'kafka'?)"},
    {"ConnectorIsNoSource", "connector: kafka", "connector: postgres",
     R"(job.yaml:5:16: error: connector 'postgres' cannot be a source; expected one of datagen, kafka)"},
    {"OptionUnknown", "scan.startup.mode", "scan.startup-mode",
     R"(job.yaml:8:5: error: source 'events': unknown option 'scan.startup-mode' of connector 'kafka', did you mean 'scan.startup.mode'?)"},
    {"OptionMissing", R"(    topic: web
)",
     "",
     R"(job.yaml:4:3: error: source 'events': connector 'kafka' needs the option 'topic': One topic, or several separated by ';')"},
    {"OptionEnumWrong", "earliest-offset", "earliest",
     R"(job.yaml:8:24: error: 'scan.startup.mode': 'earliest' is not one of its values, did you mean 'earliest-offset'?)"},
    {"OptionIntWrong", "topic: web", R"(topic: web
    scan.bounded.mode: timestamp
    scan.bounded.timestamp-millis: yesterday)",
     R"(job.yaml:8:36: error: 'scan.bounded.timestamp-millis': expected a whole number, found 'yesterday')"},
    {"OptionIsAMap", "topic: web", "topic: { name: web }",
     R"(job.yaml:6:12: error: 'topic': expected a single value, found a map)"},
    {"OptionRefusedByName", "topic: web", R"(topic: web
    properties.auto.offset.reset: earliest)",
     R"(job.yaml:7:35: error: 'properties.auto.offset.reset' belongs to the engine: write scan.startup.mode (and scan.startup.group-offsets-fallback for partitions without a committed offset); an expired offset fails by name instead of jumping)"},
    {"OptionCompanionMissing", "earliest-offset", "timestamp",
     R"(job.yaml:8:24: error: scan.startup.mode: timestamp needs the option 'scan.startup.timestamp-millis')"},
    {"FormatMissing", R"(    format: json
)",
     "",
     R"(job.yaml:4:3: error: source 'events': connector 'kafka' needs a 'format', such as json)"},
    {"FormatUnknown", "format: json", "format: jsn",
     R"(job.yaml:9:13: error: source 'events': unknown format 'jsn', did you mean 'json'?)"},
    {"FormatForSinksOnly", "format: json", "format: csv",
     R"(job.yaml:9:13: error: source 'events': format 'csv' can only be written, by sinks; a source reads json)"},
    {"FormatOptionUnknown", "format: json", "format: { type: json, strictjson: true }",
     R"(job.yaml:9:27: error: source 'events': unknown option 'strictjson' of format 'json', did you mean 'strict-json'?)"},
    {"FormatEnumWrong", "format: json", "format: { type: json, timestamp-format.standard: ISO }",
     R"(job.yaml:9:54: error: 'timestamp-format.standard': 'ISO' is not one of its values, did you mean 'ISO-8601'?)"},
    {"FormatOptionWrong", "format: json", "format: { type: json, strict-json: yes }",
     R"(job.yaml:9:40: error: 'strict-json': expected true or false, found 'yes')"},
    {"FormatTypeMissing", "format: json", "format: { strict-json: true }",
     R"(job.yaml:9:5: error: source 'events': 'format': 'type' is missing; expected a format such as json)"},
    {"FormatOfATypedSource", nullptr, R"(kind: Job
name: test
sources:
  events: { connector: datagen, format: json, on-error: skip, columns: { ip: { type: string, path: x } } }
sinks:
  out: { input: events, connector: print }
)",
     R"(job.yaml:4:41: error: source 'events': connector 'datagen' has no 'format'; remove it
job.yaml:4:47: error: source 'events': 'on-error' is about records that cannot be decoded; connector 'datagen' has none)"},
    {"TypedSourceColumnUnknown", nullptr, R"(kind: Job
name: test
sources:
  events: { connector: datagen, columns: { ip: string, refferer: string, event_time: bigint } }
sinks:
  out: { input: events, connector: print }
)",
     R"(job.yaml:4:56: error: source 'events': connector 'datagen' has no column 'refferer', did you mean 'referrer'?
job.yaml:4:86: error: source 'events': column 'event_time' of connector 'datagen' is a timestamp)"},
    {"OnErrorUnknown", "format: json", R"(format: json
    on-error: ignore)",
     R"(job.yaml:10:15: error: 'on-error': expected fail, skip or { action: dead-letter, topic: NAME }, found 'ignore')"},
    {"OnErrorActionUnknown", "format: json", R"(format: json
    on-error: { action: dead-leter, topic: web-dlq })",
     R"(job.yaml:10:25: error: 'action': 'dead-leter' is not one of its values, did you mean 'dead-letter'?)"},
    {"OnErrorActionMissing", "format: json", R"(format: json
    on-error: { topic: web-dlq })",
     R"(job.yaml:10:5: error: source 'events': 'on-error': 'action' is missing; expected fail, skip or { action: dead-letter, topic: NAME })"},
    {"SkippedRecordsHaveNoTopic", "format: json", R"(format: json
    on-error: { action: skip, topic: web-dlq })",
     R"(job.yaml:10:31: error: source 'events': 'on-error': unknown field 'topic'; expected action)"},
    {"DeadLettersWithoutATopic", "format: json", R"(format: json
    on-error: { action: dead-letter })",
     R"(job.yaml:10:5: error: source 'events': 'on-error': action dead-letter needs 'topic', the topic that takes the records that cannot be used)"},
    {"DeadLettersAsAWord", "format: json", R"(format: json
    on-error: dead-letter)",
     R"(job.yaml:10:15: error: 'on-error': expected fail, skip or { action: dead-letter, topic: NAME }, found 'dead-letter')"},
    {"DeadLettersInTheTopicThatIsRead", "format: json", R"(format: json
    on-error: { action: dead-letter, topic: web })",
     R"(job.yaml:10:45: error: source 'events': 'on-error': topic 'web' is what the source reads: it would read its dead letters again and again. Name another topic)"},
    {"DeadLettersWithKeyFields", "format: json", R"(format: json
    on-error: { action: dead-letter, topic: web-dlq, key.fields: ip })",
     R"(job.yaml:10:54: error: source 'events': 'on-error': dead letters keep their keys; remove 'key.fields')"},
    {"DeadLetterOptionUnknown", "format: json", R"(format: json
    on-error: { action: dead-letter, topic: web-dlq, delivry: at-least-once })",
     R"(job.yaml:10:54: error: sink 'events-dead-letters': unknown option 'delivry' of connector 'kafka', did you mean 'delivery'?)"},
    {"DeadLetterPropertyRefused", "format: json", R"(format: json
    on-error: { action: dead-letter, topic: web-dlq, properties.transactional.id: mine })",
     R"(job.yaml:10:83: error: 'properties.transactional.id' belongs to the engine: remove it; the sink chooses it)"},
    {"DeadLettersOfATypedSource", nullptr, R"(kind: Job
name: test
sources:
  events: { connector: datagen, on-error: { action: dead-letter, topic: x }, columns: { ip: string } }
sinks:
  out: { input: events, connector: print }
)",
     R"(job.yaml:4:33: error: source 'events': 'on-error' is about records that cannot be decoded; connector 'datagen' has none)"},
    {"ColumnsMissing", R"(    columns:
      ip: string
      host: string
      size: bigint
      event_time: timestamp
)",
     "",
     R"(job.yaml:4:3: error: source 'events': 'columns' is missing; expected a map of column names to types)"},
    {"ColumnsEmpty", R"(    columns:
      ip: string
      host: string
      size: bigint
      event_time: timestamp
)",
     R"(    columns: {}
)",
     R"(job.yaml:10:5: error: source 'events': 'columns': expected at least one column)"},
    {"ColumnGivenTwice", "ip: string", "host: string",
     R"(job.yaml:12:7: error: source 'events': 'columns': 'host' is given twice, first in line 11)"},
    {"ColumnTypeUnknown", "ip: string", "ip: strng",
     R"(job.yaml:11:11: error: column 'ip': unknown type 'strng', did you mean 'string'?)"},
    {"ColumnTypeMissing", "ip: string", "ip: { path: client }",
     R"(job.yaml:11:7: error: column 'ip': 'type' is missing; expected a type such as string, bigint or timestamp)"},
    {"ColumnFieldUnknown", "ip: string", "ip: { type: string, pathh: client }",
     R"(job.yaml:11:27: error: column 'ip': unknown field 'pathh', did you mean 'path'?)"},
    {"ColumnNameReserved", "ip: string", "$rows: string",
     R"(job.yaml:11:7: error: column name '$rows': names must not begin with '$')"},
    {"PatternOnAString", "ip: string", "ip: { type: string, pattern: yyyy-MM-dd }",
     R"(job.yaml:11:36: error: column 'ip': only timestamps have a 'pattern', this is a string)"},
    {"PatternBad", "event_time: timestamp", "event_time: { type: timestamp, pattern: yyyy-mm-dd }",
     R"(job.yaml:14:47: error: column 'event_time': 'yyyy-mm-dd' lacks a year (yyyy), month (MM) or day (dd))"},
    {"EpochUnknown", "event_time: timestamp", "event_time: { type: timestamp, epoch: seconds }",
     R"(job.yaml:14:45: error: 'epoch': 'seconds' is not one of its values; expected one of ms, s, us)"},
    {"PatternAndEpoch", "event_time: timestamp",
     "event_time: { type: timestamp, pattern: yyyy-MM-dd, epoch: s }",
     R"(job.yaml:14:66: error: column 'event_time': 'pattern' and 'epoch' exclude each other: a timestamp is either a text or a number)"},
    {"NotNullIsNoBool", "ip: string", "ip: { type: string, not-null: yes }",
     R"(job.yaml:11:37: error: 'not-null': expected true or false, found 'yes')"},
    {"WatermarkColumnUnknown", "column: event_time", "column: eventtime",
     R"(job.yaml:15:26: error: source 'events': 'watermark': unknown column 'eventtime', did you mean 'event_time'?)"},
    {"WatermarkColumnNoTimestamp", "column: event_time", "column: size",
     R"(job.yaml:15:26: error: source 'events': 'watermark': column 'size' is a bigint; event time must be a timestamp)"},
    {"WatermarkDelayMissing", ", delay: 15s", "",
     R"(job.yaml:15:5: error: source 'events': 'watermark': 'delay' is missing; expected how late events may come, such as 15s)"},
    {"WatermarkDelayBare", "delay: 15s", "delay: 15",
     R"(job.yaml:15:45: error: 'delay': expected a duration with its unit, such as 500ms, 10s, 5min, 1h or 1d, found the bare number '15')"},
    {"WatermarkFieldUnknown", "delay: 15s", "delay: 15s, idle: 30s",
     R"(job.yaml:15:50: error: source 'events': 'watermark': unknown field 'idle', did you mean 'idle-timeout'?)"},
    {"SourceUnused", R"(operators:
)",
     R"(  more:
    connector: datagen
    columns: { ip: string }
operators:
)",
     R"(job.yaml:16:3: error: source 'more' is never used: make 'more' the input of an operator or a sink, or remove it)"},
    {"SourceParallelismAboveMax", "format: json", R"(format: json
    parallelism: 200)",
     R"(job.yaml:4:3: error: 'events': parallelism 200 is above max-parallelism 128)"},
};

INSTANTIATE_TEST_SUITE_P(Sources, BadJobTest, ::testing::ValuesIn(kBadSources), NameOfBadJob);

}  // namespace
}  // namespace watershed::testing
