// The disk below a storage of the simulation: what the production FileStorage has written there and
// synced outlives the power, and nothing else does.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/storage/object_storage.h"
#include "tests/support/faulty_storage.h"
#include "tests/support/synced_disk.h"

namespace watershed::sim {

// Every object of `storage`, which answers the calls, is put into files as well. One thread.
class StorageOnDisk final : public ObjectStorage {
 public:
  // Makes `directory`.
  StorageOnDisk(std::shared_ptr<FaultyStorage> storage, std::filesystem::path directory);

  Result<std::unique_ptr<ObjectWriter>> Create(std::string_view name) override;
  Result<std::optional<std::string>> Get(std::string_view name) override {
    return storage_->Get(name);
  }
  Result<std::vector<ObjectInfo>> List(std::string_view prefix) override {
    return storage_->List(prefix);
  }
  Status Delete(std::string_view name) override;
  const std::string& uri() const override { return storage_->uri(); }

  // Nobody uses it meanwhile. The storage has what the disk has from now on: the names of what is
  // gone, or not what Commit made durable.
  std::vector<std::string> LosePower();

 private:
  class Writer;
  // Does to the files what has been done to the storage.
  void Follow(const std::string& name);

  const std::shared_ptr<FaultyStorage> storage_;
  const std::filesystem::path directory_;
  SyncedDisk disk_;
  std::shared_ptr<ObjectStorage> files_;
  std::map<std::string, std::string> written_;  // what there is on the disk, as it was committed
};

}  // namespace watershed::sim
