// What the progress topic says of one writer: which attempt of which job may write, and what it has
// committed. A record is written in the transaction of the rows that it tells of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/connectors/sink.h"
#include "runtime/types/ids.h"
#include "runtime/types/result.h"

namespace watershed {

struct ProgressMarker {
  Attempt attempt;
  std::string job;
  CheckpointId epoch{-1};    // the last that is there whole
  std::string committed_by;  // the job that committed it
  // Of a later epoch that took several transactions only so many rows are there. Rows and not
  // transactions are counted, because their size may change from version to version.
  CheckpointId begun{-1};  // -1: there is none
  int64_t begun_rows = 0;
  std::string begun_by;
  Attempt begun_attempt;

  int64_t offset = -1;  // in the topic; not a part of the record

  // Whether both say the same, wherever they are.
  bool SaysTheSame(const ProgressMarker& other) const;
};

// The record's key: compaction keeps the last record of each.
std::string ProgressKey(const WriterId& writer);
// The record's value: JSON, so that people can read it too.
std::string WriteProgress(const ProgressMarker& marker);
// A user error if it is none, or of a later version.
Result<ProgressMarker> ReadProgress(std::string_view value);

}  // namespace watershed
