#include "runtime/config/reference.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "runtime/config/options.h"

namespace watershed {
namespace {

constexpr std::string_view kBegin = R"(# Configuration
Made from the definition of the options (`runtime/config/options.cc`) by
`wsctl reference configuration > docs/configuration.md`; a test compares them. `jobmanager --help` and
`taskmanager --help` show the same.

Both processes take options from a file (`--config FILE`, YAML) and as `-Dkey=value`, which wins. In the file
`heartbeat.timeout: 5s` and `heartbeat: { timeout: 5s }` mean the same. One file may serve both: each reads what
is for it. A key that is unknown (the nearest one is named), given twice, or whose value is wrong ends the process before
it does anything; all such problems are told at once, with file, line and column. Keys are Flink's where Flink has them.

- **Durations** carry a unit: `ms`, `s`, `min`, `h`, `d`. **Sizes** likewise: `b`, `kb`, `mb`, `gb`, `tb`, powers of 1024.
  A bare number is an error.
- **Ports** are one (`8081`), a range whose first free one is taken (`9249-9260`), or `0`: any free one.

Settings of `wsctl` are in [its contract](../wsctl/README.md), those of a job in [the job file](job-file.md).

| option | value | default | read by | meaning |
| --- | --- | --- | --- | --- |
)";

// "integer, 1 to 1024"; "`text` or `json`".
std::string ValueText(const OptionDefinition& option) {
  std::string text;
  for (const std::string_view choice : option.choices) {
    text += fmt::format("{}`{}`", text.empty() ? "" : ", ", choice);
  }
  if (!text.empty()) return text;
  text = TypeName(option.type);
  // No duration is below 0 anyway.
  const bool has_min =
      option.min != INT64_MIN && !(option.type == ConfigType::kDuration && option.min == 0);
  const bool has_max = option.max != INT64_MAX;
  const auto bound = [&](int64_t value) { return FormatBound(option, value); };
  if (has_min && has_max) text += ", " + bound(option.min) + " to " + bound(option.max);
  if (has_min && !has_max) text += ", at least " + bound(option.min);
  if (!has_min && has_max) text += ", at most " + bound(option.max);
  return text;
}

std::string_view Readers(const OptionDefinition& option) {
  const bool job_manager = (option.used_by & kJobManager) != 0;
  const bool task_manager = (option.used_by & kTaskManager) != 0;
  if (job_manager && task_manager) return "both";
  return job_manager ? "JobManager" : "TaskManager";
}

}  // namespace

std::string ConfigurationPage() {
  std::string page(kBegin);
  for (const OptionDefinition* option : AllOptions()) {
    fmt::format_to(
        std::back_inserter(page), "| `{}` | {} | {} | {} | {} |\n", option->key, ValueText(*option),
        option->default_value.empty() ? "not set" : fmt::format("`{}`", option->default_value),
        Readers(*option), option->description);
  }
  return page;
}

}  // namespace watershed
