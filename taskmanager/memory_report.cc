#include "taskmanager/memory_report.h"

#include <string>

#include "runtime/metrics/names.h"
#include "taskmanager/machine.h"

namespace watershed {

void ExportMemory(const MemoryAccount& account, MetricGroup& group) {
  using metric_names::kMemoryShare;
  for (const MemoryShare share : kMemoryShares) {
    const MetricLabels labels{{std::string(kMemoryShare), std::string(NameOf(share))}};
    group.gauge(metric_names::kMemoryLimitBytes, labels).Set(account.limits().of(share));
    group.callback(
        metric_names::kMemoryUsedBytes,
        [&account, share] { return static_cast<double>(account.used_bytes(share)); }, labels);
    group.callback(
        metric_names::kMemoryPeakBytes,
        [&account, share] { return static_cast<double>(account.peak_bytes(share)); }, labels);
  }
  group.gauge(metric_names::kProcessMemoryLimitBytes).Set(account.limits().process_bytes);
  group.callback(metric_names::kResidentMemoryBytes,
                 [] { return static_cast<double>(ResidentMemoryBytes()); });
  // The same under Flink's names.
  const int64_t network = account.limits().of(MemoryShare::kNetwork);
  group.gauge(metric_names::kManagedMemoryTotal).Set(account.limits().of(MemoryShare::kState));
  group.callback(metric_names::kManagedMemoryUsed, [&account] {
    return static_cast<double>(account.used_bytes(MemoryShare::kState));
  });
  group.gauge(metric_names::kNetworkMemoryTotal).Set(network);
  group.callback(metric_names::kNetworkMemoryUsed, [&account] {
    return static_cast<double>(account.used_bytes(MemoryShare::kNetwork));
  });
  group.callback(metric_names::kNetworkMemoryAvailable, [&account, network] {
    return static_cast<double>(network - account.used_bytes(MemoryShare::kNetwork));
  });
}

google::protobuf::RepeatedPtrField<v1::MemoryShareUsage> UsageOf(const MemoryAccount& account) {
  google::protobuf::RepeatedPtrField<v1::MemoryShareUsage> usage;
  for (const MemoryShare share : kMemoryShares) {
    v1::MemoryShareUsage& out = *usage.Add();
    out.set_name(std::string(NameOf(share)));
    out.set_limit_bytes(account.limits().of(share));
    out.set_used_bytes(account.used_bytes(share));
    out.set_peak_bytes(account.peak_bytes(share));
  }
  return usage;
}

}  // namespace watershed
