// What the JobManager shows of the machine that a TaskManager runs on.
#pragma once

#include <cstdint>
#include <string>

namespace watershed {

int32_t CpuCores();
int64_t PhysicalMemoryBytes();
int64_t FreeMemoryBytes();  // available without swapping
// Of this process.
int64_t ResidentMemoryBytes();

// HOST-PID-xxxxxx, unique for each process.
std::string MakeTaskManagerId(const std::string& host);

}  // namespace watershed
