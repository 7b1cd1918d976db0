// The manifest of a checkpoint as bytes: "WSMANIF1", then the length (8 bytes, little-endian) and
// the XXH3_64 (8 bytes) of the CheckpointManifest message that follows. Nothing follows that.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/storage/object_storage.h"
#include "runtime/storage/stored_file.h"
#include "runtime/types/result.h"
#include "watershed/v1/checkpoint.pb.h"

namespace watershed {

inline constexpr uint32_t kManifestVersion = 1;

std::string EncodeManifest(const v1::CheckpointManifest& manifest);
// Damaged or cut bytes, and versions above ours, are refused by name before anything is used.
Result<v1::CheckpointManifest> DecodeManifest(std::string_view bytes);

// Reads and checks the manifest; `expected` as the log knows it, if it does. Errors name the
// object; only those of the storage itself are retryable.
Result<v1::CheckpointManifest> ReadManifest(ObjectStorage& storage, std::string_view name,
                                            const StoredFile* expected = nullptr);

// Every file that a subtask's part names, with the operator that needs it.
using FileVisitor = std::function<void(const std::string& operator_id, const v1::FileRef& file)>;
void ForEachFile(const v1::SubtaskSnapshot& part, const FileVisitor& visit);
// That every file the manifest names is there with its size. Contents are checked when read. An
// error names the first that is not, and operator and subtask.
Status CheckFiles(ObjectStorage& storage, const v1::CheckpointManifest& manifest);

void ToProto(const StoredFile& file, v1::FileRef* out);
StoredFile FromProto(const v1::FileRef& file);

}  // namespace watershed
