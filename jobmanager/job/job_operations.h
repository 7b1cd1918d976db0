// What clients have asked (of one job, or to dispose of) and what has come of it, to be told when
// they ask again. The last ones are remembered. One thread.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "runtime/types/result.h"
#include "watershed/v1/control.pb.h"

namespace watershed {

class JobOperations {
 public:
  void Begin(const std::string& id, v1::Operation::Kind kind);
  // Whether it has been asked for already. An error: the id is that of something else.
  Result<bool> HasBegun(const std::string& id, v1::Operation::Kind kind) const;
  std::optional<v1::Operation> Find(const std::string& id) const;

  // One that is not known is not told about. The last word counts: a checkpoint may turn out to be
  // complete after its attempt has failed.
  void Complete(const std::string& id, int64_t checkpoint_id, const std::string& path);
  void Fail(const std::string& id, const std::string& reason);
  // All that are in progress, but for stops, which outlive attempts; with `and_stops`: those too.
  void FailOpen(const std::string& reason, bool and_stops);

 private:
  v1::Operation* Get(const std::string& id);

  static constexpr size_t kRemembered = 100;
  std::deque<v1::Operation> operations_;
};

}  // namespace watershed
