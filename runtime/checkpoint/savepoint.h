// Savepoints: a checkpoint's manifest and the files it names, copied to a directory of their own
// that no job writes to or deletes from (DECISIONS.md, "Savepoints and stops"). All calls block.
#pragma once

#include <string>

#include "runtime/storage/object_storage.h"
#include "runtime/types/result.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {

// Copies every file that the manifest names from the job's storage, checking each, then the
// manifest, marked as a savepoint: once that is there the savepoint is whole. What is there already
// is an error, since no two savepoints have one directory.
Status WriteSavepoint(ObjectStorage& job, ObjectStorage& savepoint,
                      v1::CheckpointManifest manifest);

// Deletes the manifest, so that nobody begins to restore it, then the files it names. `folder` is
// the savepoint's name in `parent`. One that is not there, or is none, is a user error.
Status DeleteSavepoint(ObjectStorage& parent, const std::string& folder);

}  // namespace watershed
