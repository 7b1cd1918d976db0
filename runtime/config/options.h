// Every option of the processes, once: key, type, default, description and who uses it. Defaults,
// --help, validation and the reference page come from this table. Keys are Flink's where it has
// them.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace watershed {

enum class ConfigType : uint8_t { kString, kInt, kBool, kDuration, kSize, kEnum, kPorts };

// Who reads an option; combined with |.
enum ProcessMask : uint8_t { kJobManager = 1, kTaskManager = 2, kWsctl = 4 };

// A port, or several to try in order: "9249", "9249-9260", "0" (any free one).
struct PortRange {
  int first = 0;
  int last = 0;
  bool operator==(const PortRange&) const = default;
};

struct OptionDefinition {
  std::string_view key;
  ConfigType type;
  std::string_view default_value;  // in the words of a config file; empty = not set
  std::string_view description;
  uint8_t used_by;
  std::vector<std::string_view> choices = {};  // kEnum
  int64_t min = INT64_MIN;                     // of an int, in ms of a duration, in bytes of a size
  int64_t max = INT64_MAX;
};

// Makes it one of AllOptions, for good.
void Enter(const OptionDefinition* option);

// A definition whose values have type T: std::string, int64_t, bool, std::chrono::milliseconds or
// PortRange (sizes are int64_t bytes).
template <typename T>
struct ConfigOption {
  ConfigOption(OptionDefinition of_it) : definition(std::move(of_it)) { Enter(&definition); }
  ConfigOption(const ConfigOption&) = delete;
  ConfigOption& operator=(const ConfigOption&) = delete;

  const OptionDefinition definition;
};

namespace options {
extern const ConfigOption<std::string> kJobManagerRpcAddress;
extern const ConfigOption<PortRange> kJobManagerRpcPort;
extern const ConfigOption<std::string> kJobManagerRpcAddresses;
extern const ConfigOption<std::string> kJobManagerBindHost;
extern const ConfigOption<std::string> kFailoverStrategy;
extern const ConfigOption<std::string> kScheduler;
extern const ConfigOption<std::chrono::milliseconds> kSlotsWaitTimeout;
extern const ConfigOption<std::chrono::milliseconds> kSlotsStabilization;
extern const ConfigOption<std::chrono::milliseconds> kRescaleCooldown;
extern const ConfigOption<std::chrono::milliseconds> kRescaleStabilization;
extern const ConfigOption<PortRange> kRestPort;
extern const ConfigOption<std::string> kRestBindAddress;
extern const ConfigOption<std::string> kTaskManagerHost;
extern const ConfigOption<std::string> kTaskManagerBindHost;
extern const ConfigOption<PortRange> kTaskManagerRpcPort;
extern const ConfigOption<int64_t> kTaskManagerSlots;
extern const ConfigOption<std::string> kTaskManagerResourceId;
extern const ConfigOption<std::chrono::milliseconds> kTaskManagerShutdownTimeout;
extern const ConfigOption<int64_t> kProcessMemory;
extern const ConfigOption<int64_t> kManagedMemory;
extern const ConfigOption<int64_t> kNetworkMemoryPerChannel;
extern const ConfigOption<int64_t> kRpcServerMemory;
extern const ConfigOption<PortRange> kPrometheusPort;
extern const ConfigOption<std::string> kPrometheusBindHost;
extern const ConfigOption<std::string> kHighAvailabilityStorageDir;
extern const ConfigOption<std::chrono::milliseconds> kLeaseDuration;
extern const ConfigOption<std::string> kCheckpointDir;
extern const ConfigOption<std::string> kSavepointDir;
extern const ConfigOption<std::chrono::milliseconds> kCheckpointTimeout;
extern const ConfigOption<std::chrono::milliseconds> kCheckpointMinPause;
extern const ConfigOption<int64_t> kTolerableFailedCheckpoints;
extern const ConfigOption<int64_t> kRetainedCheckpoints;
extern const ConfigOption<std::string> kTemporaryDirs;
extern const ConfigOption<int64_t> kDefaultParallelism;
extern const ConfigOption<int64_t> kMaxParallelism;
extern const ConfigOption<std::chrono::milliseconds> kAutoWatermarkInterval;
extern const ConfigOption<std::chrono::milliseconds> kHeartbeatInterval;
extern const ConfigOption<std::chrono::milliseconds> kHeartbeatTimeout;
extern const ConfigOption<int64_t> kEndedJobsKept;
extern const ConfigOption<std::string> kStateBackend;
extern const ConfigOption<std::string> kLogLevel;
extern const ConfigOption<std::string> kLogFormat;
extern const ConfigOption<std::string> kLogFile;
extern const ConfigOption<int64_t> kLogFileMaxSize;
extern const ConfigOption<int64_t> kLogFileMaxCount;
extern const ConfigOption<int64_t> kLogMemorySize;
}  // namespace options

// All of the above, sorted by key.
std::span<const OptionDefinition* const> AllOptions();
// nullptr when there is none of that key.
const OptionDefinition* FindOption(std::string_view key);
// The known key most like `key`, or empty when none is near.
std::string NearestOption(std::string_view key);

std::string_view TypeName(ConfigType type);  // for people: "integer", "duration"
// A bound of the option's values in its unit: "100ms", "64kb", "1".
std::string FormatBound(const OptionDefinition& option, int64_t bound);
// The options of a process with types, defaults and descriptions, for --help.
std::string DescribeOptions(uint8_t process);

}  // namespace watershed
