#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command_line_run.h"
#include "job_file_fixture.h"

namespace watershed {
namespace {

constexpr const char* kJob =
    "kind: Job\n"
    "name: hits\n"
    "checkpointing: { interval: 5s }\n"
    "sources:\n"
    "  events:\n"
    "    connector: datagen\n"
    "    columns: { host: string, event_time: timestamp }\n"
    "    watermark: { column: event_time, delay: 1s }\n"
    "operators:\n"
    "  windows: { input: events, type: session-window, gap: 1min, key: [host],\n"
    "             aggregate: { hits: count(*) } }\n"
    "sinks:\n"
    "  counted: { input: windows, connector: kafka, topic: t, format: json,\n"
    "             properties.bootstrap.servers: 'localhost:1' }\n"
    "  shown: { input: windows, connector: kafka, topic: u, format: json,\n"
    "           properties.bootstrap.servers: 'localhost:1', delivery: at-least-once }\n"
    "  filed: { input: windows, connector: filesystem, path: /data/hits, format: csv }\n"
    "  filed_at_once: { input: windows, connector: filesystem, path: /data/hits, format: json,\n"
    "                   delivery: at-least-once }\n";

TEST(Explain, SaysHowRowsFlowAndWhatSinksPromise) {
  const FilesForTest files;
  const CommandResult result = RunWsctl({"explain", files.Write("hits.yaml", kJob), "-p", "2"});
  EXPECT_EQ(result.code, 0) << result.err;
  for (const char* line :
       {"job 'hits': a checkpoint every 5s\n", "\n1. Source: events", "parallelism 2\n",
        "   rows of 1 by hash of host\n",
        "   - windows: ", "\nsink 'counted' (kafka): delivery exactly-once\n",
        "   a row can be seen when the next checkpoint is complete: within 5s "
        "and a checkpoint's own "
        "time\n",
        "\nsink 'shown' (kafka): delivery at-least-once\n",
        "   a row can be seen as soon as its batch is written\n",
        "\nsink 'filed' (filesystem): delivery exactly-once\n   files appear whole "
        "when their checkpoint is complete",
        "\nsink 'filed_at_once' (filesystem): delivery at-least-once\n"}) {
    EXPECT_THAT(result.out, testing::HasSubstr(line)) << result.out;
  }
}

}  // namespace
}  // namespace watershed
