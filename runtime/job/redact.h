// Copies of graphs and plans that may be shown: values of secret options, passwords inside URLs and
// values of options that look like secrets are replaced. Everything that leaves a process for
// people's eyes (REST, wsctl, logs) goes through here; what is deployed to TaskManagers does not.
#pragma once

#include <string>
#include <string_view>

#include "watershed/v1/job_graph.pb.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed {

inline constexpr std::string_view kRedacted = "******";  // as Flink shows it

v1::JobGraph Redact(v1::JobGraph graph);
v1::PhysicalPlan Redact(v1::PhysicalPlan plan);

// True for names that say they hold a secret ("password", "secret", "token", …), whatever the
// connector's option list says.
bool LooksSecret(std::string_view option_name);

// "postgresql://me:pw@host/db?password=x" → "postgresql://me:******@host/db?password=******".
std::string RedactUrl(std::string_view value);

}  // namespace watershed
