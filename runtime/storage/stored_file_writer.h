// Writes one object that must be new, and says what it must contain from then on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/storage/content_hash.h"
#include "runtime/storage/object_storage.h"
#include "runtime/storage/stored_file.h"
#include "runtime/types/result.h"

namespace watershed {

// One thread at a time. Destroyed before Commit: the object is given up.
class StoredFileWriter {
 public:
  // The object is created by the first Append, or by Commit.
  StoredFileWriter(std::shared_ptr<ObjectStorage> storage, std::string name);

  Status Append(std::string_view bytes);
  int64_t size_bytes() const { return file_.size_bytes; }
  // Durable when it returns; once, and nothing after. An object of that name is an error: names of
  // such files never repeat.
  Result<StoredFile> Commit();

 private:
  const std::shared_ptr<ObjectStorage> storage_;
  std::unique_ptr<ObjectWriter> writer_;
  ContentHash hash_;
  StoredFile file_;
};

}  // namespace watershed
