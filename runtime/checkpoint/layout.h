// What objects of a checkpoint directory are called. All of one job lives below one directory:
//   <job id>/chk-<checkpoint id>-<attempt>/_metadata   the manifest
//   <job id>/shared/<attempt>-<vertex>-<subtask>-<unique>-<n>   files of keyed state and sink
//   segments
// A savepoint has the same two below a directory of its own. As in Flink, the path of a checkpoint
// that people are shown and may restore is that of its chk- directory.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/types/ids.h"
#include "runtime/types/result.h"

namespace watershed {

std::string ManifestName(CheckpointId checkpoint, Attempt attempt);
std::string ManifestPrefix();  // what every manifest's name begins with
// What the names of one subtask's files begin with. `unique` is new for every start of a task; it
// and the vertex are of letters and digits.
std::string SharedPrefix(Attempt attempt, std::string_view vertex_id, SubtaskIndex subtask,
                         std::string_view unique);
// The attempt that wrote a shared file or a manifest; nothing if the name is none of ours.
std::optional<Attempt> AttemptOfFile(std::string_view name);

// ".../<job id>/chk-7-2" (or its _metadata) -> the job's directory and the manifest's name in it.
struct RestorePath {
  std::string directory;
  std::string manifest;
};
// A user error says what a path must look like.
Result<RestorePath> ParseRestorePath(std::string_view path);

}  // namespace watershed
