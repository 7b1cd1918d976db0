// Which columns of each stream something downstream uses: the planner's projection pushdown.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "runtime/types/result.h"
#include "watershed/v1/job_graph.pb.h"

namespace watershed {

// A stream is (node, side output); its columns by name. Event time columns of windows' inputs and
// of sources with a watermark are among them; keys and aggregates of windows always stay.
using UsedColumns = std::map<std::pair<std::string, std::string>, std::set<std::string>>;

// A user error for inputs, columns or orders that make no sense: graphs come over the wire.
Result<UsedColumns> FindUsedColumns(const v1::JobGraph& graph);

}  // namespace watershed
