// One object of a FileStorage on its way.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/storage/file_tree.h"
#include "runtime/storage/object_storage.h"

namespace watershed {

class FileWriter final : public ObjectWriter {
 public:
  FileWriter(std::shared_ptr<FileTree> tree, std::string name, FileTree::Temporary temporary)
      : tree_(std::move(tree)), name_(std::move(name)), temporary_(std::move(temporary)) {}
  ~FileWriter() override { RemoveTemporary(); }

  Status Append(std::string_view bytes) override;
  Result<bool> Commit() override;

 private:
  // True: the file has the final name. False: another one has it.
  Result<bool> Link();
  void RemoveTemporary();

  const std::shared_ptr<FileTree> tree_;
  const std::string name_;
  FileTree::Temporary temporary_;
  bool is_whole_ = true;  // false: an Append failed, or Commit has been called
};

}  // namespace watershed
