// What objects of a checkpoint directory are called. All of one job lives below one directory:
//   <job id>/chk-<checkpoint id>-<attempt>/_metadata   the manifest
//   <job id>/shared/<attempt>-<vertex>-<subtask>-<unique>-<n>   files of keyed state and sink
//   segments
// A savepoint has a directory of its own, in it the same files and its manifest:
//   savepoint-<job>-<checkpoint>-<operation>/_metadata
// As in Flink, the path that people are shown and may restore is that of the manifest's directory.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/types/ids.h"
#include "runtime/types/result.h"

namespace watershed {

std::string ManifestName(CheckpointId checkpoint, Attempt attempt);
std::string ManifestPrefix();  // what every manifest's name begins with
std::string SavepointManifestName();
// "<directory>/savepoint-…", of the beginnings of both ids.
std::string SavepointPath(std::string_view directory, const JobId& job, CheckpointId checkpoint,
                          std::string_view operation_id);
// What the names of one subtask's files begin with. `unique` is new for every start of a task; it
// and the vertex are of letters and digits.
std::string SharedPrefix(Attempt attempt, std::string_view vertex_id, SubtaskIndex subtask,
                         std::string_view unique);
// The attempt that wrote a shared file or a manifest; nothing if the name is none of ours.
std::optional<Attempt> AttemptOfFile(std::string_view name);

// ".../<job id>/chk-7-2" (or its _metadata) -> the job's directory and the manifest's name in it;
// ".../savepoint-…" the same.
struct RestorePath {
  std::string directory;
  std::string manifest;
};
// A user error says what a path must look like.
Result<RestorePath> ParseRestorePath(std::string_view path);

// ".../savepoints/savepoint-…" (or its _metadata) -> the directory it is in and its name there. The
// path of a checkpoint is a user error: its job deletes it.
struct SavepointPlace {
  std::string parent;
  std::string folder;
};
Result<SavepointPlace> ParseSavepointPath(std::string_view path);

}  // namespace watershed
