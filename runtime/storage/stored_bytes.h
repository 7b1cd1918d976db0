// Reads an object that a snapshot names, whole.
#pragma once

#include <string>

#include "runtime/storage/object_storage.h"
#include "runtime/storage/stored_file.h"
#include "runtime/types/result.h"

namespace watershed {

// Blocks. A missing object, or one whose size or checksum differs, is an error that names it,
// also as its damaged_file.
Result<std::string> ReadStored(ObjectStorage& storage, const StoredFile& file);

}  // namespace watershed
