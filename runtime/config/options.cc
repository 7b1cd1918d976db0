#include "runtime/config/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "runtime/config/units.h"

namespace watershed {
namespace {

// Made by the first option that enters.
std::vector<const OptionDefinition*>& Entered() {
  static std::vector<const OptionDefinition*> entered;
  return entered;
}

}  // namespace

void Enter(const OptionDefinition* option) { Entered().push_back(option); }

namespace options {
namespace {
constexpr uint8_t kServers = kJobManager | kTaskManager;
constexpr uint8_t kEngine = kTaskManager | kWsctl;
constexpr uint8_t kAll = kJobManager | kTaskManager | kWsctl;
constexpr int64_t kKiB = 1 << 10;
constexpr int64_t kMiB = 1 << 20;
}  // namespace

const ConfigOption<std::string> kJobManagerRpcAddress{
    {"jobmanager.rpc.address", ConfigType::kString, "127.0.0.1",
     "Host at which TaskManagers and wsctl reach the JobManager.", kAll}};
const ConfigOption<PortRange> kJobManagerRpcPort{
    {"jobmanager.rpc.port", ConfigType::kPorts, "6123",
     "Port of the JobManager's gRPC services; 0 takes a free one.", kAll}};
const ConfigOption<std::string> kJobManagerRpcAddresses{
    {"jobmanager.rpc.addresses", ConfigType::kString, "",
     "host:port of every JobManager, with commas between them, when there are several: a "
     "TaskManager registers at the one that leads. When not set: jobmanager.rpc.address and "
     "jobmanager.rpc.port.",
     kTaskManager}};
const ConfigOption<std::string> kJobManagerBindHost{
    {"jobmanager.bind-host", ConfigType::kString, "127.0.0.1",
     "Address the JobManager's gRPC server listens on; 0.0.0.0 for all.", kJobManager}};
const ConfigOption<std::string> kFailoverStrategy{
    {"jobmanager.failover-strategy",
     ConfigType::kEnum,
     "region",
     "What restarts when a task fails: the tasks that exchanges join with it, while the job's "
     "others "
     "run on (region), or all of the job (full). A job of one pipeline is one region anyway, and "
     "so "
     "is every job with jobmanager.scheduler: adaptive.",
     kJobManager,
     {"region", "full"}}};
const ConfigOption<std::string> kScheduler{
    {"jobmanager.scheduler",
     ConfigType::kEnum,
     "default",
     "A job that finds fewer slots than it asks for waits for them (default), or starts with those "
     "that are there and takes more when they come (adaptive).",
     kJobManager,
     {"default", "adaptive"}}};
const ConfigOption<std::chrono::milliseconds> kSlotsWaitTimeout{
    {"jobmanager.adaptive-scheduler.submission.resource-wait-timeout",
     ConfigType::kDuration,
     "5min",
     "At most this long an adaptive job waits for all its slots, at its submission and at every "
     "restart. For the first one it waits longer.",
     kJobManager,
     {},
     0}};
const ConfigOption<std::chrono::milliseconds> kSlotsStabilization{
    {"jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout",
     ConfigType::kDuration,
     "10s",
     "So long after the first slot is free an adaptive job waits for the rest.",
     kJobManager,
     {},
     0}};
const ConfigOption<std::chrono::milliseconds> kRescaleCooldown{
    {"jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling",
     ConfigType::kDuration,
     "30s",
     "An adaptive job runs at least this long before it moves onto more slots.",
     kJobManager,
     {},
     0}};
const ConfigOption<std::chrono::milliseconds> kRescaleStabilization{
    {"jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout",
     ConfigType::kDuration,
     "1min",
     "So long after more slots are free, but not all that it asks for, an adaptive job waits for "
     "the rest before it moves onto them.",
     kJobManager,
     {},
     0}};
const ConfigOption<PortRange> kRestPort{
    {"rest.port", ConfigType::kPorts, "8081",
     "Port of the REST interface and the web page; a range is tried in order, 0 takes a free one.",
     kJobManager}};
const ConfigOption<std::string> kRestBindAddress{
    {"rest.bind-address", ConfigType::kString, "127.0.0.1",
     "Address the REST server listens on; 0.0.0.0 for all.", kJobManager}};
const ConfigOption<std::string> kTaskManagerHost{
    {"taskmanager.host", ConfigType::kString, "127.0.0.1",
     "Host at which the JobManager and other TaskManagers reach this one.", kTaskManager}};
const ConfigOption<std::string> kTaskManagerBindHost{
    {"taskmanager.bind-host", ConfigType::kString, "127.0.0.1",
     "Address the TaskManager's gRPC server listens on; 0.0.0.0 for all.", kTaskManager}};
const ConfigOption<PortRange> kTaskManagerRpcPort{
    {"taskmanager.rpc.port", ConfigType::kPorts, "0",
     "Port of the TaskManager's control and data services; 0 takes a free one.", kTaskManager}};
const ConfigOption<int64_t> kTaskManagerSlots{
    {"taskmanager.numberOfTaskSlots",
     ConfigType::kInt,
     "1",
     "Slots of a TaskManager. A slot runs one subtask of each vertex of a job.",
     kTaskManager,
     {},
     1,
     1024}};
const ConfigOption<std::string> kTaskManagerResourceId{
    {"taskmanager.resource-id", ConfigType::kString, "",
     "Name of the TaskManager; made from host, port and a random part when not set.",
     kTaskManager}};
const ConfigOption<std::chrono::milliseconds> kTaskManagerShutdownTimeout{
    {"taskmanager.shutdown.timeout",
     ConfigType::kDuration,
     "20s",
     "How long a TaskManager that is asked to end (SIGTERM) waits for its tasks to move, with a "
     "checkpoint; 0: not at all. Then they fail. Kubernetes gives a pod 30 s.",
     kTaskManager,
     {},
     0}};
const ConfigOption<int64_t> kProcessMemory{
    {"taskmanager.memory.process.size",
     ConfigType::kSize,
     "",
     "All memory of a TaskManager: what its tasks keep, fetch ahead, send, have not yet written to "
     "checkpoints or committed is kept within it. When not set: 400mb, and 64mb for every slot "
     "above four.",
     kTaskManager,
     {},
     64 * kMiB}};
const ConfigOption<int64_t> kManagedMemory{
    {"taskmanager.memory.managed.size",
     ConfigType::kSize,
     "",
     "Of taskmanager.memory.process.size, for keyed state: RocksDB's block cache and write buffers "
     "and the hot-key caches of "
     "all tasks together. When not set: half of what the process and its tasks leave (142mb of "
     "400mb with one slot).",
     kTaskManager,
     {},
     8 * kMiB}};
const ConfigOption<int64_t> kNetworkMemoryPerChannel{
    {"taskmanager.memory.network.channel-size",
     ConfigType::kSize,
     "1mb",
     "Rows in flight on one channel between two subtasks before its sender waits; less when many "
     "channels share the network's part of taskmanager.memory.process.size.",
     kEngine,
     {},
     64 * kKiB}};
const ConfigOption<int64_t> kRpcServerMemory{{"rpc.server.memory.size",
                                              ConfigType::kSize,
                                              "256mb",
                                              "Memory for what reaches a process's gRPC port and "
                                              "is not whole yet; beyond it calls are ended.",
                                              kServers,
                                              {},
                                              8 * kMiB}};
const ConfigOption<PortRange> kPrometheusPort{
    {"metrics.reporter.prom.port", ConfigType::kPorts, "9249-9260",
     "Port of the Prometheus exporter; a range is tried in order, 0 takes a free one.", kServers}};
const ConfigOption<std::string> kPrometheusBindHost{
    {"metrics.reporter.prom.bind-host", ConfigType::kString, "127.0.0.1",
     "Address the Prometheus exporter listens on; 0.0.0.0 for all.", kServers}};
const ConfigOption<std::string> kHighAvailabilityStorageDir{
    {"high-availability.storageDir", ConfigType::kString, "",
     "Directory of the JobManager's durable log. Several JobManagers may share it: one leads, the "
     "others stand by.",
     kJobManager}};
const ConfigOption<std::chrono::milliseconds> kLeaseDuration{
    {"high-availability.lease-duration",
     ConfigType::kDuration,
     "5s",
     "A JobManager that stands by takes over when the one that leads has written nothing to "
     "high-availability.storageDir for this long.",
     kJobManager,
     {},
     300}};
const ConfigOption<std::string> kCheckpointDir{
    {"execution.checkpointing.dir", ConfigType::kString, "",
     "Directory for checkpoints, reachable by every process.", kServers}};
const ConfigOption<std::string> kSavepointDir{
    {"execution.checkpointing.savepoint-dir", ConfigType::kString, "",
     "Directory for savepoints whose request names none.", kJobManager}};
const ConfigOption<std::chrono::milliseconds> kCheckpointTimeout{
    {"execution.checkpointing.timeout",
     ConfigType::kDuration,
     "10min",
     "A checkpoint that is not complete after this has failed.",
     kJobManager,
     {},
     1}};
const ConfigOption<std::chrono::milliseconds> kCheckpointMinPause{
    {"execution.checkpointing.min-pause",
     ConfigType::kDuration,
     "0s",
     "At least this long between the end of a checkpoint and the begin of the next.",
     kJobManager,
     {},
     0}};
const ConfigOption<int64_t> kTolerableFailedCheckpoints{
    {"execution.checkpointing.tolerable-failed-checkpoints",
     ConfigType::kInt,
     "-1",
     "So many checkpoints may fail in a row before the job restarts; -1 for any number.",
     kJobManager,
     {},
     -1,
     1'000'000}};
const ConfigOption<int64_t> kRetainedCheckpoints{{"execution.checkpointing.num-retained",
                                                  ConfigType::kInt,
                                                  "3",
                                                  "Completed checkpoints of a job that are kept.",
                                                  kJobManager,
                                                  {},
                                                  1,
                                                  1000}};
const ConfigOption<std::string> kTemporaryDirs{
    {"io.tmp.dirs", ConfigType::kString, "/tmp",
     "Local directory for state and spilled data; a process makes its own folder below it.",
     kEngine}};
const ConfigOption<int64_t> kDefaultParallelism{{"parallelism.default",
                                                 ConfigType::kInt,
                                                 "1",
                                                 "Parallelism of a job that names none.",
                                                 kJobManager | kWsctl,
                                                 {},
                                                 1,
                                                 1024}};
const ConfigOption<int64_t> kMaxParallelism{
    {"pipeline.max-parallelism",
     ConfigType::kInt,
     "128",
     "Number of key groups of a job that names none: the most its parallelism can become.",
     kJobManager | kWsctl,
     {},
     1,
     32768}};
const ConfigOption<std::chrono::milliseconds> kAutoWatermarkInterval{
    {"pipeline.auto-watermark-interval",
     ConfigType::kDuration,
     "200ms",
     "A source sends its watermark at most this often; 0ms: after every batch it reads.",
     kTaskManager,
     {},
     0}};
const ConfigOption<std::chrono::milliseconds> kHeartbeatInterval{
    {"heartbeat.interval",
     ConfigType::kDuration,
     "1s",
     "How often TaskManagers report to the JobManager; at least four times in heartbeat.timeout.",
     kServers,
     {},
     100}};
const ConfigOption<std::chrono::milliseconds> kHeartbeatTimeout{
    {"heartbeat.timeout",
     ConfigType::kDuration,
     "5s",
     "A TaskManager that says nothing for this long is lost.",
     kServers,
     {},
     1000}};
const ConfigOption<int64_t> kEndedJobsKept{{"jobstore.max-capacity",
                                            ConfigType::kInt,
                                            "200",
                                            "Ended jobs that stay listed; the oldest leave first.",
                                            kJobManager,
                                            {},
                                            1,
                                            100'000}};
const ConfigOption<std::string> kStateBackend{
    {"state.backend.type",
     ConfigType::kEnum,
     "rocksdb",
     "Where keyed state lives: on disk behind a bounded cache, or in memory.",
     kEngine,
     {"rocksdb", "hashmap"}}};
const ConfigOption<std::string> kLogLevel{{"log.level",
                                           ConfigType::kEnum,
                                           "info",
                                           "Least severe level that is logged.",
                                           kAll,
                                           {"trace", "debug", "info", "warn", "error"}}};
const ConfigOption<std::string> kLogFormat{{"log.format",
                                            ConfigType::kEnum,
                                            "text",
                                            "Log lines as text or as one JSON object each.",
                                            kAll,
                                            {"text", "json"}}};
const ConfigOption<std::string> kLogFile{
    {"log.file", ConfigType::kString, "",
     "File that log lines go to besides stderr, for one process each; full, it is renamed from "
     "NAME.log to NAME.1.log, that to NAME.2.log and so on.",
     kServers}};
const ConfigOption<int64_t> kLogFileMaxSize{{"log.file.max-size",
                                             ConfigType::kSize,
                                             "10mb",
                                             "A log file that would become larger is full.",
                                             kServers,
                                             {},
                                             kKiB}};
const ConfigOption<int64_t> kLogFileMaxCount{
    {"log.file.max-count",
     ConfigType::kInt,
     "5",
     "Log files that are kept, the one that is written included; the oldest goes first.",
     kServers,
     {},
     1,
     10'000}};
const ConfigOption<int64_t> kLogMemorySize{
    {"log.memory.size",
     ConfigType::kSize,
     "1mb",
     "The last lines that a process keeps in memory, for `wsctl logs`.",
     kServers,
     {},
     16 * kKiB,
     1024 * kMiB}};
}  // namespace options

std::span<const OptionDefinition* const> AllOptions() {
  static const std::vector<const OptionDefinition*> sorted = [] {
    std::vector<const OptionDefinition*> list = Entered();
    std::sort(list.begin(), list.end(), [](auto* a, auto* b) { return a->key < b->key; });
    return list;
  }();
  return sorted;
}

const OptionDefinition* FindOption(std::string_view key) {
  for (const OptionDefinition* option : AllOptions()) {
    if (option->key == key) return option;
  }
  return nullptr;
}

namespace {

// Levenshtein distance, one row at a time.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view TypeName(ConfigType type) {
  switch (type) {
    case ConfigType::kString:
      return "string";
    case ConfigType::kInt:
      return "integer";
    case ConfigType::kBool:
      return "true or false";
    case ConfigType::kDuration:
      return "duration";
    case ConfigType::kSize:
      return "size";
    case ConfigType::kEnum:
      return "one of";
    case ConfigType::kPorts:
      return "port or range";
  }
  return "";
}

std::string FormatBound(const OptionDefinition& option, int64_t bound) {
  if (option.type == ConfigType::kDuration) return FormatDuration(std::chrono::milliseconds(bound));
  if (option.type == ConfigType::kSize) return FormatSize(bound);
  return fmt::format("{}", bound);
}

std::string NearestOption(std::string_view key) {
  std::string_view best;
  size_t best_distance = SIZE_MAX;
  for (const OptionDefinition* option : AllOptions()) {
    const size_t distance = EditDistance(key, option->key);
    if (distance < best_distance) {
      best_distance = distance;
      best = option->key;
    }
  }
  return best_distance <= std::max<size_t>(3, best.size() / 3) ? std::string(best) : std::string();
}

std::string DescribeOptions(uint8_t process) {
  std::string text;
  auto out = std::back_inserter(text);
  for (const OptionDefinition* option : AllOptions()) {
    if ((option->used_by & process) == 0) continue;
    fmt::format_to(out, "  {}  ({}", option->key, TypeName(option->type));
    for (size_t i = 0; i < option->choices.size(); ++i) {
      fmt::format_to(out, "{}{}", i == 0 ? " " : ", ", option->choices[i]);
    }
    if (option->default_value.empty()) {
      fmt::format_to(out, ", not set)\n");
    } else {
      fmt::format_to(out, ", default {})\n", option->default_value);
    }
    fmt::format_to(out, "      {}\n", option->description);
  }
  return text;
}

}  // namespace watershed
