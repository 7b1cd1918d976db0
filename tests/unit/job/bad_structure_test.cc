#include "tests/unit/job/bad_job.h"

namespace watershed::testing {
namespace {

const BadJob kBadStructure[] = {
    {"EmptyFile", nullptr, "",
     R"(job.yaml:1:1: error: the file is empty; expected a job (kind: Job))"},
    {"OnlyAComment", nullptr, R"(# nothing
)",
     R"(job.yaml:1:1: error: the file is empty; expected a job (kind: Job))"},
    {"NotAMap", nullptr, R"(- a
- b
)",
     R"(job.yaml:1:1: error: job file: expected a map, found a list)"},
    {"SyntaxError", "gap: 5min", R"(gap: "5min)",
     R"(job.yaml:20:10: error: YAML syntax: the closing quote is missing)"},
    {"BadIndentation", "    gap: 5min", "   gap: 5min",
     R"(job.yaml:20:4: error: YAML syntax: end of map not found)"},
    {"ReferenceInFlowMap", "delay: 15s }", "delay: ${DELAY} }",
     R"(job.yaml:15:46: error: YAML syntax: end of map flow not found; inside { } and [ ], put quotes around "${…}")"},
    {"SyntaxErrorQuoteAfterUmlaut", R"(name: test
)",
     R"(name: test # ä
"ä": "ö
)",
     R"(job.yaml:3:6: error: YAML syntax: the closing quote is missing)"},
    {"NotUtf8", "name: test", "name: t\xc3\xa4st\xff",
     R"(job.yaml:2:11: error: byte 0xff is not UTF-8; save the file as UTF-8)"},
    {"CutUtf8AtTheEnd", nullptr, "kind: Job\nname: \xe2\x82",
     R"(job.yaml:2:7: error: byte 0xe2 is not UTF-8; save the file as UTF-8)"},
    {"TwoDocuments", R"(sinks:
)",
     R"(---
sinks:
)",
     R"(job.yaml:24:1: error: a second YAML document; expected one job a file)"},
    {"KindMissing", R"(kind: Job
)",
     "", R"(job.yaml:1:1: error: job file: 'kind' is missing; expected 'kind: Job')"},
    {"KindUnknown", "kind: Job", "kind: job",
     R"(job.yaml:1:7: error: 'kind': 'job' is not one of its values, did you mean 'Job'?)"},
    {"NameMissing", R"(name: test
)",
     "", R"(job.yaml:1:1: error: job file: 'name' is missing; expected a name for the job)"},
    {"NameEmpty", "name: test",
     "name:", R"(job.yaml:2:1: error: 'name': expected a single value, found nothing)"},
    {"UnknownTopLevelField", R"(sinks:
)",
     R"(paralelism: 2
sinks:
)",
     R"(job.yaml:23:1: error: job file: unknown field 'paralelism', did you mean 'parallelism'?)"},
    {"FieldGivenTwice", "    gap: 5min", R"(    gap: 5min
    gap: 6min)",
     R"(job.yaml:21:5: error: operator 'sessions': 'gap' is given twice, first in line 20)"},
    {"SectionGivenTwice", R"(sinks:
)",
     R"(sources: {}
sinks:
)",
     R"(job.yaml:23:1: error: job file: 'sources' is given twice, first in line 3)"},
    {"SourceGivenTwice", R"(operators:
)",
     R"(  events:
    connector: datagen
    columns: { ip: string }
operators:
)",
     R"(job.yaml:16:3: error: 'sources': 'events' is given twice, first in line 4)"},
    {"SourcesMissing", R"(sources:
)",
     R"(sorces:
)",
     R"(job.yaml:1:1: error: job file: 'sources' is missing; expected a map of at least one source
job.yaml:3:1: error: job file: unknown field 'sorces', did you mean 'sources'?)"},
    {"SinksMissing", R"(sinks:
  out:
    input: sessions
    connector: print
)",
     "",
     R"(job.yaml:1:1: error: job file: 'sinks' is missing; expected a map of at least one sink)"},
    {"SectionIsAList", R"(sinks:
  out:
    input: sessions
    connector: print
)",
     R"(sinks: [out]
)",
     R"(job.yaml:23:8: error: 'sinks': expected a map, found a list)"},
    {"NodeIsAText", R"(  out:
    input: sessions
    connector: print
)",
     R"(  out: print
)",
     R"(job.yaml:24:8: error: sink 'out': expected a map, found a single value)"},
    {"ParallelismZero", "name: test", R"(name: test
parallelism: 0)",
     R"(job.yaml:3:14: error: 'parallelism': expected a whole number from 1 to 128, found '0')"},
    {"ParallelismNoNumber", "name: test", R"(name: test
parallelism: two)",
     R"(job.yaml:3:14: error: 'parallelism': expected a whole number from 1 to 128, found 'two')"},
    {"ParallelismAboveMax", "name: test", R"(name: test
max-parallelism: 4
parallelism: 8)",
     R"(job.yaml:4:14: error: 'parallelism': expected a whole number from 1 to 4, found '8')"},
    {"CheckpointIntervalBare", "name: test", R"(name: test
checkpointing: { interval: 10 })",
     R"(job.yaml:3:28: error: 'interval': expected a duration with its unit, such as 500ms, 10s, 5min, 1h or 1d, found the bare number '10')"},
    {"CheckpointModeUnknown", "name: test", R"(name: test
checkpointing: { interval: 10s, mode: exactly_once })",
     R"(job.yaml:3:39: error: 'mode': 'exactly_once' is not one of its values, did you mean 'exactly-once'?)"},
    {"RestartStrategyUnknown", "name: test", R"(name: test
restart-strategy: { type: fixed-delays })",
     R"(job.yaml:3:27: error: 'type': 'fixed-delays' is not one of its values, did you mean 'fixed-delay'?)"},
    {"RestartOptionOfAnother", "name: test", R"(name: test
restart-strategy: { type: fixed-delay, max-backoff: 3s })",
     R"(job.yaml:3:40: error: 'restart-strategy': unknown field 'max-backoff'; expected one of attempts, delay, type)"},
    {"Tag", "gap: 5min", "gap: !duration 5min",
     R"(job.yaml:20:10: error: 'gap': YAML tags such as '!duration' have no meaning here)"},
    {"KeyIsAMap", "kind: Job", R"(kind: Job
? { a: b }
: c)",
     R"(job.yaml:2:3: error: job file: expected a name before ':', found a map)"},
    {"NameClash", R"(sinks:
  out:)",
     R"(sinks:
  events:)",
     R"(job.yaml:24:3: error: sink 'events': the name is already that of source 'events'; sources, operators, late rows and sinks share one name space)"},
    {"NodeNameWithDot", R"(sinks:
  out:)",
     R"(sinks:
  out.1:)",
     R"(job.yaml:24:3: error: sink name 'out.1': expected letters, digits, '_' and '-', beginning with a letter or '_', at most 128)"},
};

INSTANTIATE_TEST_SUITE_P(Structure, BadJobTest, ::testing::ValuesIn(kBadStructure), NameOfBadJob);

}  // namespace
}  // namespace watershed::testing
