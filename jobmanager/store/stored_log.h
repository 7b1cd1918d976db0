// The numbered log's entries as what they mean.
#pragma once

#include "jobmanager/store/numbered_log.h"
#include "runtime/types/result.h"
#include "watershed/v1/store.pb.h"

namespace watershed {

struct StoredLog {
  v1::StoredState state;  // all entries added up
  int entries = 0;        // so many were read
};

// Blocks. Errors name the entry.
Result<v1::LogEntry> ParseEntry(const NumberedLog& log, const NumberedLog::Entry& stored);
Result<StoredLog> ReadLog(NumberedLog& log);

}  // namespace watershed
