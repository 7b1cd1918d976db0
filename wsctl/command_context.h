// What every command gets: where to write, the global options, and the outside world behind
// substitutable interfaces.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/job/compile.h"
#include "runtime/types/clock.h"
#include "wsctl/doctor/findings.h"
#include "wsctl/exit_code.h"

namespace watershed {

class JobRunner;
namespace v1 {
class PhysicalPlan;
}

enum class OutputFormat : uint8_t { kTable, kWide, kJson, kYaml, kName };

struct GlobalOptions {
  OutputFormat output = OutputFormat::kTable;
  std::vector<std::string> env_files;  // a later one wins
  std::optional<int32_t> parallelism;
  std::string jobmanager = "localhost:6123";
  std::optional<std::chrono::milliseconds> timeout;
};

struct Console {
  std::ostream* out = nullptr;
  std::ostream* err = nullptr;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  // Whether nobody can read any more what is written to `out`. Absent: never.
  std::function<bool()> reader_has_gone;

  bool IsUnread() const { return reader_has_gone && reader_has_gone(); }
};

// Runs a plan in this process; production makes it in local_engine.cc.
using LocalEngine =
    std::function<Result<std::unique_ptr<JobRunner>>(std::shared_ptr<const v1::PhysicalPlan>)>;

struct CommandContext {
  Console console;
  GlobalOptions options;
  Variables environment;  // of the process
  const Clock* clock = nullptr;
  LocalEngine local_engine;
  Examiner examine;  // for doctor
  // From its call on Ctrl-C (and SIGTERM) no longer ends the process but is counted here; a second
  // one ends it. Absent: Ctrl-C is left as it is.
  std::function<const std::atomic<int>&()> watch_interrupts;
};

}  // namespace watershed
