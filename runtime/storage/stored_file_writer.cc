#include "runtime/storage/stored_file_writer.h"

#include <utility>

namespace watershed {

StoredFileWriter::StoredFileWriter(std::shared_ptr<ObjectStorage> storage, std::string name)
    : storage_(std::move(storage)), file_{.name = std::move(name)} {}

Status StoredFileWriter::Append(std::string_view bytes) {
  if (writer_ == nullptr) {
    WS_ASSIGN_OR_RETURN(writer_, storage_->Create(file_.name));
  }
  hash_.Update(bytes);
  file_.size_bytes += static_cast<int64_t>(bytes.size());
  return writer_->Append(bytes);
}

Result<StoredFile> StoredFileWriter::Commit() {
  if (writer_ == nullptr) WS_RETURN_IF_ERROR(Append({}));
  WS_ASSIGN_OR_RETURN(const bool is_new, writer_->Commit());
  writer_.reset();
  if (!is_new) {
    return InternalError("'{}' is there already: the names of snapshot files must never repeat",
                         JoinUri(storage_->uri(), file_.name));
  }
  file_.xxh3 = hash_.Digest();
  return file_;
}

}  // namespace watershed
