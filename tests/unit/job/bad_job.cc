#include "tests/unit/job/bad_job.h"

#include "runtime/job/compile.h"

namespace watershed::testing {
namespace {

constexpr const char* kCorrectJob = R"(kind: Job
name: test
sources:
  events:
    connector: kafka
    topic: web
    properties.bootstrap.servers: localhost:9092
    scan.startup.mode: earliest-offset
    format: json
    columns:
      ip: string
      host: string
      size: bigint
      event_time: timestamp
    watermark: { column: event_time, delay: 15s }
operators:
  sessions:
    input: events
    type: session-window
    gap: 5min
    key: [ip, host]
    aggregate: { n: count(*) }
sinks:
  out:
    input: sessions
    connector: print
)";

}  // namespace

std::string MessagesOf(const BadJob& bad) {
  std::string text = bad.replacement;
  if (bad.piece != nullptr) {
    text = kCorrectJob;
    const size_t at = text.find(bad.piece);
    if (at == std::string::npos) return "the piece is not in the file";
    text.replace(at, std::string(bad.piece).size(), bad.replacement);
  }
  CompileOptions options;
  options.variables = {{"TOPIC", "web"}, {"EMPTY", ""}, {"NOT_UTF8", "w\xff"}};
  options.read_file = [](const std::string& path) -> Result<std::string> {
    if (path == "/run/secrets/x") return "s3cret\n";
    if (path == "/not-utf8") return "\xc3";
    return UserError("no such file");
  };
  const CompileResult result = CompileJobFile(text, options);
  // A graph exactly when there is no error, whatever the warnings.
  bool error = false;
  for (const Diagnostic& diagnostic : result.diagnostics) {
    error |= diagnostic.severity == Severity::kError;
  }
  EXPECT_EQ(result.ok(), !error);
  return ToString(result.diagnostics);
}

// The base of all others is what it says.
TEST(CorrectJobTest, HasNoMessages) { EXPECT_EQ(MessagesOf({"", nullptr, kCorrectJob, ""}), ""); }

TEST_P(BadJobTest, IsReportedWherePeopleLook) {
  EXPECT_EQ(MessagesOf(GetParam()), std::string(GetParam().messages) + "\n");
}

}  // namespace watershed::testing
