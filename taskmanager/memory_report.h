// What the outside sees of a TaskManager's memory account.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include "runtime/memory/memory_account.h"
#include "runtime/metrics/metrics.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

// As metrics of `group`; the account outlives it.
void ExportMemory(const MemoryAccount& account, MetricGroup& group);
// For the JobManager.
google::protobuf::RepeatedPtrField<v1::MemoryShareUsage> UsageOf(const MemoryAccount& account);

}  // namespace watershed
