#include "tests/unit/job/bad_job.h"

namespace watershed::testing {
namespace {

const BadJob kBadVariables[] = {
    {"VariableMissing", "topic: web", "topic: ${TOPICS}",
     R"(job.yaml:6:12: error: 'topic': variable 'TOPICS' is not set, did you mean 'TOPIC'? Set it in the environment or in --env-file, or give a default: ${TOPICS:…})"},
    {"VariableMissingWithoutNearName", "topic: web", "topic: ${NOWHERE}",
     R"(job.yaml:6:12: error: 'topic': variable 'NOWHERE' is not set. Set it in the environment or in --env-file, or give a default: ${NOWHERE:…})"},
    {"VariableEmpty", "topic: web", "topic: ${EMPTY}",
     R"(job.yaml:6:12: error: 'topic': variable 'EMPTY' is empty; give it a value, or write ${EMPTY:} if empty is meant)"},
    {"RequiredOptionEmptied", "topic: web", "topic: ${EMPTY:}",
     R"(job.yaml:4:3: error: source 'events': connector 'kafka' needs the option 'topic': One topic, or several separated by ';')"},
    {"VariableNotUtf8", "topic: web", "topic: ${NOT_UTF8}",
     R"(job.yaml:6:12: error: 'topic': the value of variable 'NOT_UTF8' is not UTF-8)"},
    {"FileNotUtf8", "topic: web", "topic: ${file:/not-utf8}",
     R"(job.yaml:6:12: error: 'topic': '${file:/not-utf8}': its content is not UTF-8)"},
    {"BraceMissing", "topic: web", "topic: ${TOPIC",
     R"(job.yaml:6:12: error: 'topic': '${TOPIC' lacks its closing brace)"},
    {"BadVariableName", "topic: web", "topic: ${MY-TOPIC}",
     R"(job.yaml:6:12: error: 'topic': '${MY-TOPIC}' is no reference to a variable; expected ${NAME}, ${NAME:default} or ${file:/path})"},
    {"FileMissing", "topic: web", "topic: ${file:/nowhere}",
     R"(job.yaml:6:12: error: 'topic': '${file:/nowhere}': no such file)"},
    {"FileInNumberIsNotShown", "name: test", R"(name: test
parallelism: ${file:/run/secrets/x})",
     R"(job.yaml:3:14: error: 'parallelism': expected a whole number from 1 to 128, found '******')"},
    {"SecretIsNotShown", "topic: web", R"(topic: web
    properties.sasl.jaas.config: ${file:/run/secrets/x})",
     R"(job.yaml:7:34: error: 'properties.sasl.jaas.config' is a setting of Kafka's Java client; the client here is librdkafka: write properties.sasl.mechanism, properties.sasl.username and properties.sasl.password)"},
};

INSTANTIATE_TEST_SUITE_P(Variables, BadJobTest, ::testing::ValuesIn(kBadVariables), NameOfBadJob);

}  // namespace
}  // namespace watershed::testing
