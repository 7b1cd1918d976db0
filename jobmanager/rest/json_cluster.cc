// Cluster-wide views: configuration, overview, TaskManagers.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "jobmanager/rest/json_views.h"
#include "runtime/status/job_status.h"

namespace watershed {
namespace {

constexpr int kRefreshIntervalMs = 3000;
constexpr int64_t kMegabyte = 1 << 20;

std::string FlinkVersion(const BuildInfo& build) {
  return fmt::format("2.3-watershed-{}", build.version);
}

// The share of that name; zeros before the first heartbeat.
MemoryShareView ShareOf(const TaskManagerView& worker, std::string_view name) {
  for (const MemoryShareView& share : worker.memory) {
    if (share.name == name) return share;
  }
  return {};
}

// Flink's resource profile: memory in megabytes.
Json ResourceJson(const TaskManagerView& worker, int32_t slots) {
  double share = worker.slots > 0 ? static_cast<double>(slots) / worker.slots : 0;
  const auto megabytes = [share](int64_t bytes) {
    return static_cast<int64_t>(static_cast<double>(bytes) * share) / kMegabyte;
  };
  return {{"cpuCores", worker.cpu_cores * share},
          {"taskHeapMemory", 0},
          {"taskOffHeapMemory", 0},
          {"managedMemory", megabytes(worker.managed_memory_bytes)},
          {"networkMemory", megabytes(ShareOf(worker, "network").limit_bytes)},
          {"extendedResources", Json::object()}};
}

Json HardwareJson(const TaskManagerView& worker) {
  return {{"cpuCores", worker.cpu_cores},
          {"physicalMemory", worker.physical_memory_bytes},
          {"freeMemory", worker.free_memory_bytes},
          {"managedMemory", worker.managed_memory_bytes}};
}

// There is no heap apart from the rest: what has no name of Flink's counts as its off-heap memory
// of tasks, and is told apart in "watershed".
Json MemoryConfigurationJson(const TaskManagerView& worker) {
  Json json = Json::object();
  for (const char* name :
       {"frameworkHeap", "taskHeap", "frameworkOffHeap", "jvmMetaspace", "jvmOverhead"}) {
    json[name] = 0;
  }
  const int64_t network = ShareOf(worker, "network").limit_bytes;
  json["networkMemory"] = network;
  json["managedMemory"] = worker.managed_memory_bytes;
  json["taskOffHeap"] =
      std::max<int64_t>(0, worker.process_memory_bytes - worker.managed_memory_bytes - network);
  json["totalFlinkMemory"] = worker.process_memory_bytes;
  json["totalProcessMemory"] = worker.process_memory_bytes;
  return json;
}

Json MemorySharesJson(const TaskManagerView& worker) {
  Json json = Json::object();
  for (const MemoryShareView& share : worker.memory) {
    json[share.name] = {{"limitBytes", share.limit_bytes},
                        {"usedBytes", share.used_bytes},
                        {"peakBytes", share.peak_bytes}};
  }
  return json;
}

int PortOf(const std::string& address) {
  size_t colon = address.rfind(':');
  if (colon == address.npos) return 0;
  int port = 0;
  for (char c : address.substr(colon + 1)) {
    if (c < '0' || c > '9' || port > 65535) return 0;
    port = port * 10 + (c - '0');
  }
  return port;
}

Json TaskManagerJson(const TaskManagerView& worker) {
  int32_t assigned = 0;
  for (const AllocatedSlotsView& slots : worker.allocated) assigned += slots.assigned_tasks;
  return {{"id", worker.id},
          {"path", worker.address},
          {"dataPort", PortOf(worker.address)},
          {"jmxPort", -1},
          {"timeSinceLastHeartbeat", worker.last_heartbeat_ms},
          {"slotsNumber", worker.slots},
          {"freeSlots", worker.free_slots},
          {"assignedTasks", assigned},
          {"totalResource", ResourceJson(worker, worker.slots)},
          {"freeResource", ResourceJson(worker, worker.free_slots)},
          {"hardware", HardwareJson(worker)},
          {"memoryConfiguration", MemoryConfigurationJson(worker)},
          {"blocked", false},
          {"watershed",
           {{"pid", worker.pid},
            {"residentMemory", worker.resident_memory_bytes},
            {"memory", MemorySharesJson(worker)}}}};
}

// The JVM's figures, which a native process has none of, and those of the network's memory.
Json MetricsJson(const TaskManagerView& worker) {
  Json json = Json::object();
  for (const char* name :
       {"heapUsed", "heapCommitted", "heapMax", "nonHeapUsed", "nonHeapCommitted", "nonHeapMax",
        "directCount", "directUsed", "directMax", "mappedCount", "mappedUsed", "mappedMax",
        "nettyShuffleMemorySegmentsAvailable", "nettyShuffleMemorySegmentsUsed",
        "nettyShuffleMemorySegmentsTotal"}) {
    json[name] = 0;
  }
  const MemoryShareView network = ShareOf(worker, "network");
  json["nettyShuffleMemoryAvailable"] =
      std::max<int64_t>(0, network.limit_bytes - network.used_bytes);
  json["nettyShuffleMemoryUsed"] = network.used_bytes;
  json["nettyShuffleMemoryTotal"] = network.limit_bytes;
  json["garbageCollectors"] = Json::array();
  return json;
}

}  // namespace

Json ConfigJson(const BuildInfo& build) {
  return {{"refresh-interval", kRefreshIntervalMs},
          {"timezone-name", "UTC"},
          {"timezone-offset", 0},
          {"flink-version", FlinkVersion(build)},
          {"flink-revision", build.commit},
          {"features",
           {{"web-submit", false},
            {"web-cancel", true},
            {"web-rescale", false},
            {"web-history", false}}}};
}

Json OverviewJson(std::span<const v1::JobSummary> jobs, std::span<const TaskManagerView> workers,
                  const BuildInfo& build) {
  int32_t slots = 0, free_slots = 0;
  for (const TaskManagerView& worker : workers) {
    slots += worker.slots;
    free_slots += worker.free_slots;
  }
  // As in Flink, every job that has not ended counts as running.
  int running = 0, finished = 0, canceled = 0, failed = 0;
  for (const v1::JobSummary& job : jobs) {
    if (job.state() == v1::FINISHED) {
      ++finished;
    } else if (job.state() == v1::CANCELED) {
      ++canceled;
    } else if (job.state() == v1::FAILED) {
      ++failed;
    } else {
      ++running;
    }
  }
  return {{"taskmanagers", workers.size()}, {"slots-total", slots},
          {"slots-available", free_slots},  {"taskmanagers-blocked", 0},
          {"slots-free-and-blocked", 0},    {"jobs-running", running},
          {"jobs-finished", finished},      {"jobs-cancelled", canceled},
          {"jobs-failed", failed},          {"flink-version", FlinkVersion(build)},
          {"flink-commit", build.commit}};
}

Json TaskManagersJson(std::span<const TaskManagerView> workers) {
  Json list = Json::array();
  for (const TaskManagerView& worker : workers) list.push_back(TaskManagerJson(worker));
  return {{"taskmanagers", std::move(list)}};
}

Json TaskManagerDetailsJson(const TaskManagerView& worker) {
  Json json = TaskManagerJson(worker);
  Json slots = Json::array();
  for (const AllocatedSlotsView& allocated : worker.allocated) {
    // Flink lists every slot; a job's tasks are spread over its slots.
    for (int32_t i = 0; i < allocated.slots; ++i) {
      slots.push_back({{"jobId", allocated.job_id},
                       {"resource", ResourceJson(worker, 1)},
                       {"assignedTasks", allocated.assigned_tasks / allocated.slots +
                                             (i < allocated.assigned_tasks % allocated.slots)}});
    }
  }
  json["allocatedSlots"] = std::move(slots);
  json["metrics"] = MetricsJson(worker);
  return json;
}

Json ErrorsJson(std::string_view message) { return {{"errors", Json::array({message})}}; }

std::string Serialize(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace watershed
