// Reads an object that a snapshot names, and tells whether it is what it should be.
#pragma once

#include <memory>
#include <string>

#include "runtime/storage/object_storage.h"
#include "runtime/storage/stored_file.h"
#include "runtime/types/result.h"

namespace watershed {

// Both block. A missing object, or one whose size or checksum differs, is an error that names it,
// also as its damaged_file.
Result<std::string> ReadStored(ObjectStorage& storage, const StoredFile& file);
// Piece by piece: only the Read that reaches the end tells of the checksum. Whoever acts on a piece
// before has to undo it then, or to have checked it.
Result<std::unique_ptr<ObjectReader>> OpenStored(ObjectStorage& storage, const StoredFile& file);

}  // namespace watershed
