#include "tests/sim/disk.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <utility>

#include "runtime/storage/file_storage.h"

namespace watershed::sim {
namespace {

// The machine that simulates has no room, say: no seed's fault.
template <typename Outcome>
void MustSucceed(const Outcome& outcome) {
  if (outcome) return;
  fmt::print(stderr, "{}\n", outcome.error().message);
  std::abort();
}

}  // namespace

class StorageOnDisk::Writer final : public ObjectWriter {
 public:
  Writer(StorageOnDisk* storage, std::string name, std::unique_ptr<ObjectWriter> writer)
      : storage_(storage), name_(std::move(name)), writer_(std::move(writer)) {}
  Status Append(std::string_view bytes) override { return writer_->Append(bytes); }
  Result<bool> Commit() override {
    Result<bool> committed = writer_->Commit();
    storage_->Follow(name_);  // also when the answer is lost
    return committed;
  }

 private:
  StorageOnDisk* const storage_;
  const std::string name_;
  const std::unique_ptr<ObjectWriter> writer_;
};

StorageOnDisk::StorageOnDisk(std::shared_ptr<FaultyStorage> storage,
                             std::filesystem::path directory)
    : storage_(std::move(storage)), directory_(std::move(directory)) {
  FileStorageOptions options;
  options.sync = [this](int fd) { return disk_.Sync(fd); };
  files_ = OpenFileStorage(directory_.string(), std::move(options)).value();
}

Result<std::unique_ptr<ObjectWriter>> StorageOnDisk::Create(std::string_view name) {
  WS_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer, storage_->Create(name));
  return std::make_unique<Writer>(this, std::string(name), std::move(writer));
}

Status StorageOnDisk::Delete(std::string_view name) {
  Status deleted = storage_->Delete(name);
  Follow(std::string(name));
  return deleted;
}

void StorageOnDisk::Follow(const std::string& name) {
  std::optional<std::string> bytes = storage_->Find(name);
  if (bytes && !written_.contains(name)) {
    MustSucceed(files_->PutIfAbsent(name, *bytes));
    written_[name] = *std::move(bytes);
  } else if (!bytes && written_.erase(name) > 0) {
    MustSucceed(files_->Delete(name));
  }
}

std::vector<std::string> StorageOnDisk::LosePower() {
  std::vector<std::string> lost;
  for (auto& [name, bytes] : written_) {
    std::optional<std::string> left = disk_.Get(directory_, name);
    if (left == bytes) continue;
    lost.push_back(name);
    const std::filesystem::path file = directory_ / name;
    if (!left) {
      std::filesystem::remove(file);
      storage_->Remove(name);
      continue;
    }
    std::ofstream(file, std::ios::binary) << *left;
    storage_->Replace(name, *left);
    bytes = *std::move(left);
  }
  std::erase_if(written_, [this](const auto& object) { return !storage_->Find(object.first); });
  return lost;
}

}  // namespace watershed::sim
