// Which files of a job's checkpoint directory may be deleted. Pure; file_collector.h does it.
//
// The rules, and why they are enough:
// 1. Never a file that a retained manifest names. One that cannot be read might name any file:
//    then nothing is deleted.
// 2. What only subsumed checkpoints name goes once the entry that subsumes them is durable. A task
//    goes on naming a file from checkpoint to checkpoint until it names it no more, and never takes
//    it up again, but for a restart from an older checkpoint, and then that one is retained and
//    names it; so a file that no retained manifest names is not needed by the next one. What has
//    been acknowledged of the checkpoint under way is kept all the same: it costs nothing, and does
//    not lean on that argument.
// 3. Anything else is an orphan only if an attempt before all that live wrote it (a job of several
//    regions has one of each). A running task
//    may still name files that it wrote for a checkpoint which was given up, because its next
//    deltas build on them; and a file may be on its way. Nobody who wrote an older file can
//    complete a checkpoint any more, since acknowledgements of older attempts are refused.
// 4. What has none of our names (layout.h) is not ours.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "runtime/storage/object_storage.h"
#include "runtime/types/ids.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {

using FileNames = std::set<std::string>;

FileNames FilesOf(const v1::CheckpointManifest& manifest);
void AddFilesOf(const v1::SubtaskSnapshot& part, FileNames* names);

// Rule 2: of what `subsumed` manifests name, what neither `retained` ones nor the acknowledgements
// of the checkpoint `under_way` name.
std::vector<std::string> SubsumedFiles(const FileNames& subsumed, const FileNames& retained,
                                       const FileNames& under_way);

// Rules 3 and 4. `retained`: the manifests themselves and all that they name.
std::vector<std::string> OrphanedFiles(const std::vector<ObjectInfo>& objects,
                                       const FileNames& retained, Attempt oldest_living);

}  // namespace watershed
