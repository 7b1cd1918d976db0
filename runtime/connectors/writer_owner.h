// Who publishes as a writer of a lineage: one attempt of one job at a time.
#pragma once

#include <string>
#include <string_view>

#include "runtime/types/ids.h"
#include "runtime/types/result.h"

namespace watershed {

struct WriterOwner {
  Attempt attempt;
  std::string job;
  bool operator==(const WriterOwner&) const = default;
};

// What the former owner is told by the target that it may no longer write to.
inline tl::unexpected<Error> TakenOver(int32_t writer, std::string_view target,
                                       const WriterOwner& found, const WriterOwner& own) {
  if (found.job == own.job) {
    return UserError("attempt {} has taken writer {} of {} over from attempt {}",
                     found.attempt.value, writer, target, own.attempt.value);
  }
  return UserError(
      "job {} has taken writer {} of {} over with its attempt {}: it goes on from the same lineage "
      "as attempt {} of this job. Cancel one of them; the other may go on from its newest "
      "checkpoint, or as a lineage of its own with wsctl submit FILE -s PATH --fork",
      found.job, writer, target, found.attempt.value, own.attempt.value);
}

}  // namespace watershed
