// What `wsctl doctor` found out about a job file and the world around it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "watershed/v1/physical_plan.pb.h"

namespace watershed {

enum class Health : uint8_t { kOk, kWarning, kError };

struct Finding {
  Health health = Health::kOk;
  std::string subject;  // "source events", "sink out"
  std::string option;   // of it, where the message points in the file; empty: its name
  std::string check;    // "connection", "sample", "table", "topic", "checkpoints", "slots"
  std::string message;  // what is so, and if it is wrong, what to do next
};

// Asks brokers and databases, for at most some tens of seconds each, and changes nothing there: it
// reads some of a topic's records, and opens every sink's target.
using Examiner = std::function<std::vector<Finding>(const v1::PhysicalPlan& plan)>;

}  // namespace watershed
