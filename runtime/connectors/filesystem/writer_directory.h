// The hidden directory of one writer, beside the files that it publishes. One attempt owns it; its
// name says which.
//
// An epoch is written to a file there, synced, and given the name that it will have; then a marker
// says that the epoch is committed; then the file is renamed into the sink's directory, where
// everybody sees it. Whatever dies in between: behind the marker a file that is still in the hidden
// directory has not been published, and one that is not there has been, wherever somebody has moved
// it since.
//
// Whoever takes the writer over makes a directory of its own, moves all that the former one holds
// there, and removes that one. A former owner that wakes up finds no directory to write to and no
// file to publish.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/connectors/filesystem/file_name.h"
#include "runtime/connectors/sink.h"
#include "runtime/connectors/writer_owner.h"
#include "runtime/storage/file_tree.h"

namespace watershed {

// One thread, which blocks. Errors name the file; one that may heal is retryable.
class WriterDirectory {
 public:
  // `tree`: the sink's directory, which exists. Does nothing yet.
  WriterDirectory(std::shared_ptr<FileTree> tree, WriterId writer, WriterOwner owner,
                  std::string extension);

  const WriterId& writer() const { return writer_; }

  // Takes the writer over and publishes what a former owner had committed. The same user error as
  // of all others below if a newer attempt has it, or another job.
  Status Fence();
  // After Fence: what is committed.
  WriterMarker marker() const { return {writer_, marker_.epoch, marker_.job}; }

  // Publishes the segments of an epoch as one file; at or below the marker they are there already.
  // A user error if the name is taken by something else.
  Status Commit(CheckpointId epoch, std::span<const SinkSegment> segments);
  // Publishes them without a marker, under a name of this attempt.
  Status PublishUnmarked(CheckpointId number, std::span<const SinkSegment> segments);

 private:
  Result<std::vector<WriterOwner>> Owners() const;
  // All that a former owner's directory holds, until it can be removed.
  Status Adopt(const WriterOwner& former);
  // Finds the marker in what is there, and removes what was not committed.
  Status ReadMarker();
  // Writes a file to publish, whole or not at all.
  Status Stage(const std::string& name, std::span<const SinkSegment> segments);
  Status PutMarker(CheckpointId epoch);
  // The files of committed epochs.
  Status PublishCommitted();
  Status Publish(const std::string& name);
  Status SyncPublished();
  // This directory.
  Status Sync();
  // The answer to a call on something in it that failed.
  tl::unexpected<Error> Failed(int error_number, std::string_view doing, const std::string& path);

  std::string PathOf(std::string_view name) const { return path_ + "/" + std::string(name); }

  const std::shared_ptr<FileTree> tree_;
  const WriterId writer_;
  const WriterOwner owner_;
  const std::string extension_;
  const std::string prefix_;
  const std::string path_;
  FileMarker marker_;
};

}  // namespace watershed
