// The reference page of the metrics, docs/metrics.md.
#pragma once

#include <string>

namespace watershed {

std::string MetricsPage();  // Markdown

}  // namespace watershed
