#include "taskmanager/machine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <thread>

namespace watershed {

int32_t CpuCores() { return static_cast<int32_t>(std::thread::hardware_concurrency()); }

int64_t PhysicalMemoryBytes() {
  return static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
}

int64_t FreeMemoryBytes() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  int64_t kilobytes = 0;
  std::string unit;
  while (file >> name >> kilobytes >> unit) {
    if (name == "MemAvailable:") return kilobytes * 1024;
  }
  return static_cast<int64_t>(::sysconf(_SC_AVPHYS_PAGES)) * ::sysconf(_SC_PAGESIZE);
}

int64_t ResidentMemoryBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0, resident_pages = 0;
  file >> pages >> resident_pages;
  return resident_pages * ::sysconf(_SC_PAGESIZE);
}

std::string MakeTaskManagerId(const std::string& host) {
  return fmt::format("{}-{}-{:06x}", host, ::getpid(), std::random_device{}() & 0xffffff);
}

}  // namespace watershed
