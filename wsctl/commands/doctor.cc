#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/job/physical_planner.h"
#include "wsctl/commands/cluster_client.h"
#include "wsctl/commands/commands.h"
#include "wsctl/doctor/directory.h"
#include "wsctl/job_file.h"
#include "wsctl/output.h"

namespace watershed {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kClusterPatience{5};

struct Diagnosis {
  std::string path;
  CompileResult compiled;
  std::vector<Finding> findings;
  int errors = 0;
  bool file_is_wrong = false;
};

const char* NameOf(Health health) {
  switch (health) {
    case Health::kOk:
      return "ok";
    case Health::kWarning:
      return "warning";
    case Health::kError:
      return "error";
  }
  return "";
}

// Where in the file: the option, else what it belongs to.
Mark MarkOf(const Diagnosis& diagnosis, const Finding& finding) {
  const auto& marks = diagnosis.compiled.marks;
  for (const std::string& key : {finding.subject + " " + finding.option, finding.subject}) {
    if (const auto mark = marks.find(key); mark != marks.end()) return mark->second;
  }
  return {};
}

Finding ExamineCheckpoints(const std::string& directory) {
  Finding finding{.subject = "job", .check = "checkpoints"};
  if (directory.empty()) {
    finding.health = Health::kWarning;
    finding.message =
        "not looked whether checkpoints can be written: name the cluster's "
        "execution.checkpointing.dir with --checkpoint-dir";
  } else if (const Status usable = CheckWritable(directory); !usable) {
    finding.health = Health::kError;
    finding.message = "checkpoints cannot be written: " + usable.error().message;
  } else {
    finding.message = fmt::format("checkpoints can be written to {} from here", directory);
  }
  return finding;
}

Finding ExamineSlots(const CommandContext& context, int32_t needed) {
  Finding finding{.health = Health::kWarning, .subject = "job", .check = "slots"};
  const auto client = JobClient::Create(context.options.jobmanager, kClusterPatience);
  const auto task_managers =
      client ? (*client)->TaskManagers()
             : Outcome<std::vector<v1::TaskManagerDetails>>(tl::make_unexpected(client.error()));
  if (!task_managers) {
    finding.message = "not looked for slots: " + task_managers.error().message;
    return finding;
  }
  int32_t free = 0;
  for (const v1::TaskManagerDetails& each : *task_managers) free += each.free_slots();
  if (free >= needed) finding.health = Health::kOk;
  finding.message = fmt::format(
      "the job needs {} slots, and {} are free{}", needed, free,
      free >= needed ? "" : ": it would wait; start a TaskManager, or submit it with fewer (-p)");
  return finding;
}

int32_t SlotsFor(const v1::PhysicalPlan& plan) {
  int32_t slots = 0;
  for (const v1::Vertex& vertex : plan.vertices()) slots = std::max(slots, vertex.parallelism());
  return slots;
}

Diagnosis Examine(const CommandContext& context, const Variables& variables,
                  const std::string& path, const std::string& checkpoint_directory) {
  Diagnosis diagnosis{.path = path};
  auto compiled = CompileFile(variables, path);
  if (!compiled) {
    diagnosis.findings.push_back(
        {Health::kError, "job", "", "file", std::move(compiled).error().message});
    diagnosis.file_is_wrong = true;
    return diagnosis;
  }
  diagnosis.compiled = std::move(*compiled);
  diagnosis.file_is_wrong = !diagnosis.compiled.ok();
  if (diagnosis.file_is_wrong) return diagnosis;
  PlanOptions options;
  options.parallelism = context.options.parallelism;
  const v1::JobGraph& graph = *diagnosis.compiled.graph;
  const auto plan = PlanJob(graph, options);
  if (!plan) {
    diagnosis.findings.push_back({Health::kError, "job", "", "file", plan.error().message});
    diagnosis.file_is_wrong = true;
    return diagnosis;
  }
  if (context.examine) diagnosis.findings = context.examine(*plan);
  if (graph.checkpointing().interval_ms() > 0) {
    diagnosis.findings.push_back(ExamineCheckpoints(checkpoint_directory));
  }
  diagnosis.findings.push_back(ExamineSlots(context, SlotsFor(*plan)));
  return diagnosis;
}

void PrintText(std::ostream& out, const Diagnosis& diagnosis) {
  out << ToString(diagnosis.compiled.diagnostics);
  for (const Finding& finding : diagnosis.findings) {
    const Mark mark = MarkOf(diagnosis, finding);
    out << fmt::format("{}:{}:{}: {}: {}: {}\n", diagnosis.path, mark.line, mark.column,
                       NameOf(finding.health), finding.subject, finding.message);
  }
}

Json ToJson(const Diagnosis& diagnosis) {
  Json findings = Json::array();
  for (const Diagnostic& each : diagnosis.compiled.diagnostics) {
    findings.push_back({{"line", each.line},
                        {"column", each.column},
                        {"health", each.severity == Severity::kError ? "error" : "warning"},
                        {"subject", "job"},
                        {"check", "file"},
                        {"message", each.message}});
  }
  for (const Finding& finding : diagnosis.findings) {
    const Mark mark = MarkOf(diagnosis, finding);
    findings.push_back({{"line", mark.line},
                        {"column", mark.column},
                        {"health", NameOf(finding.health)},
                        {"subject", finding.subject},
                        {"check", finding.check},
                        {"message", finding.message}});
  }
  return {{"file", diagnosis.path},
          {"healthy", diagnosis.errors == 0},
          {"findings", std::move(findings)}};
}

std::string Summary(int errors, int warnings) {
  if (errors > 0) return "not fit to run: see the errors above";
  if (warnings == 0) return "nothing is wrong";
  return fmt::format("no errors, but {} warning{}: see above", warnings, warnings == 1 ? "" : "s");
}

}  // namespace

Outcome<void> DoctorCommand(const CommandContext& context, const std::vector<std::string>& files,
                            const std::string& checkpoint_directory) {
  WS_ASSIGN_OR_RETURN(const Variables variables, JobVariables(context));
  Answer answer{.json = {{"files", Json::array()}}};
  std::vector<Diagnosis> all;
  int errors = 0;
  int warnings = 0;
  bool file_is_wrong = false;
  for (const std::string& path : files) {
    Diagnosis& diagnosis =
        all.emplace_back(Examine(context, variables, path, checkpoint_directory));
    diagnosis.errors = diagnosis.file_is_wrong ? 1 : 0;
    for (const Finding& finding : diagnosis.findings) {
      diagnosis.errors += finding.health == Health::kError ? 1 : 0;
      warnings += finding.health == Health::kWarning ? 1 : 0;
    }
    errors += diagnosis.errors;
    file_is_wrong |= diagnosis.file_is_wrong;
    answer.json["files"].push_back(ToJson(diagnosis));
    if (diagnosis.errors == 0) answer.names.push_back(path);
  }
  answer.text = [&](std::ostream& out, bool) {
    for (const Diagnosis& diagnosis : all) PrintText(out, diagnosis);
    out << Summary(errors, warnings) << '\n';
  };
  Print(context, answer);
  if (file_is_wrong) return Fail(ExitCode::kUsage, "");
  if (errors > 0) return Fail(ExitCode::kFailed, "");
  return {};
}

}  // namespace watershed
