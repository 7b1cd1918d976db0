#include "runtime/engine/marker_check.h"

#include <fmt/format.h>

#include <algorithm>

namespace watershed {
namespace {

std::string NameOf(CheckpointId epoch) {
  return epoch.value < 0 ? "nothing" : fmt::format("epoch {}", epoch.value);
}

Status TargetIsAhead(const WriterMarker& found, CheckpointId newest) {
  return UserError(
      "the target has {} of writer {}, but the checkpoint that the job goes on from ends with {}: "
      "rows after it would be written twice. Restore from a newer checkpoint or savepoint, or "
      "accept them with wsctl submit FILE -s PATH --allow-duplicates",
      NameOf(found.last_committed_epoch), found.writer.writer, NameOf(newest));
}

Status TargetIsBehind(const WriterMarker& found, CheckpointId confirmed) {
  return UserError(
      "the target has {} of writer {}, but had confirmed {} to the checkpoint that the job goes on "
      "from: rows of lineage {} are missing there (another database, a backup, or progress that "
      "was deleted). Point the job at the target it wrote to, or begin a lineage of its own with "
      "wsctl submit FILE -s PATH --fork",
      NameOf(found.last_committed_epoch), found.writer.writer, NameOf(confirmed),
      found.writer.lineage);
}

Status CheckWhole(const WriterMarker& found, const KnownProgress& known, const MarkerRules& rules) {
  const CheckpointId marker = found.last_committed_epoch;
  if (marker == known.confirmed) return Ok();
  if (!known.had_marker && marker.value < 0) return Ok();
  if (marker < known.confirmed) return TargetIsBehind(found, known.confirmed);
  const CheckpointId newest = known.listed.empty() ? known.confirmed : known.listed.back();
  const bool is_known =
      found.committed_by.empty() ||
      std::ranges::find(rules.committers, found.committed_by) != rules.committers.end();
  if (is_known && std::ranges::find(known.listed, marker) != known.listed.end()) return Ok();
  if (rules.accepts_duplicates && marker > newest) return Ok();
  if (marker > newest) return TargetIsAhead(found, newest);
  return UserError(
      "the target has {} of writer {}, committed by job {}, which is not what the checkpoint "
      "lists: another job has gone on from the same lineage. Restore from a checkpoint of that "
      "job, or begin a lineage of its own with wsctl submit FILE -s PATH --fork",
      NameOf(marker), found.writer.writer,
      found.committed_by.empty() ? "(unknown)" : found.committed_by);
}

}  // namespace

Status CheckMarker(const WriterMarker& found, const KnownProgress& known,
                   const MarkerRules& rules) {
  WS_RETURN_IF_ERROR(CheckWhole(found, known, rules));
  if (found.begun_epoch.value < 0) return Ok();
  // Nothing but the rest of it may follow, so it must be listed, too.
  return CheckWhole({found.writer, found.begun_epoch, found.begun_by}, known, rules);
}

}  // namespace watershed
