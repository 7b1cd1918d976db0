#include "jobmanager/checkpoint/file_collection.h"

#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/manifest.h"

namespace watershed {

void AddFilesOf(const v1::SubtaskSnapshot& part, FileNames* names) {
  ForEachFile(part,
              [&](const std::string&, const v1::FileRef& file) { names->insert(file.name()); });
}

FileNames FilesOf(const v1::CheckpointManifest& manifest) {
  FileNames names;
  for (const v1::SubtaskSnapshot& part : manifest.subtasks()) AddFilesOf(part, &names);
  return names;
}

std::vector<std::string> SubsumedFiles(const FileNames& subsumed, const FileNames& retained,
                                       const FileNames& under_way) {
  std::vector<std::string> files;
  for (const std::string& name : subsumed) {
    if (!retained.contains(name) && !under_way.contains(name)) files.push_back(name);
  }
  return files;
}

std::vector<std::string> OrphanedFiles(const std::vector<ObjectInfo>& objects,
                                       const FileNames& retained, Attempt oldest_living) {
  std::vector<std::string> files;
  for (const ObjectInfo& object : objects) {
    const std::optional<Attempt> attempt = AttemptOfFile(object.name);
    if (attempt && *attempt < oldest_living && !retained.contains(object.name)) {
      files.push_back(object.name);
    }
  }
  return files;
}

}  // namespace watershed
