#include "runtime/storage/stored_bytes.h"

#include <utility>

#include "runtime/storage/content_hash.h"

namespace watershed {
namespace {

class CheckedReader final : public ObjectReader {
 public:
  CheckedReader(std::unique_ptr<ObjectReader> from, StoredFile file, std::string uri)
      : from_(std::move(from)), file_(std::move(file)), uri_(std::move(uri)) {}

  int64_t size_bytes() const override { return file_.size_bytes; }
  Result<size_t> Read(std::span<char> into) override {
    WS_ASSIGN_OR_RETURN(const size_t size, from_->Read(into));
    hash_.Update({into.data(), size});
    read_ += static_cast<int64_t>(size);
    const bool at_end = read_ == file_.size_bytes;
    if (at_end ? hash_.Digest() != file_.xxh3 : size < into.size()) return Damaged(read_);
    return size;
  }
  tl::unexpected<Error> Damaged(int64_t size_bytes) const {
    const char* const what = size_bytes == file_.size_bytes
                                 ? "its contents are not what was written"
                                 : "its length is not what was written";
    return DamagedFile(file_.name,
                       fmt::format("the checkpoint's file '{}' in {} is damaged: {} ({} bytes, {} "
                                   "expected)",
                                   file_.name, uri_, what, size_bytes, file_.size_bytes));
  }

 private:
  const std::unique_ptr<ObjectReader> from_;
  const StoredFile file_;
  const std::string uri_;
  ContentHash hash_;
  int64_t read_ = 0;
};

}  // namespace

Result<std::unique_ptr<ObjectReader>> OpenStored(ObjectStorage& storage, const StoredFile& file) {
  WS_ASSIGN_OR_RETURN(std::unique_ptr<ObjectReader> found, storage.Open(file.name));
  if (found == nullptr) {
    return DamagedFile(file.name, fmt::format("the checkpoint's file '{}' is not in {}", file.name,
                                              storage.uri()));
  }
  const int64_t size_bytes = found->size_bytes();
  auto checked = std::make_unique<CheckedReader>(std::move(found), file, storage.uri());
  if (size_bytes != file.size_bytes) return checked->Damaged(size_bytes);
  return checked;
}

Result<std::string> ReadStored(ObjectStorage& storage, const StoredFile& file) {
  WS_ASSIGN_OR_RETURN(const std::unique_ptr<ObjectReader> reader, OpenStored(storage, file));
  std::string bytes(static_cast<size_t>(file.size_bytes), '\0');
  WS_RETURN_IF_ERROR(reader->Read(bytes));
  return bytes;
}

}  // namespace watershed
