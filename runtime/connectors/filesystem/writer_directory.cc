#include "runtime/connectors/filesystem/writer_directory.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "runtime/storage/file_error.h"
#include "runtime/types/kill_point.h"
#include "runtime/types/planted_bug.h"

namespace watershed {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUnfinished = ".unfinished";
// How often a former owner may put something into its directory while it is being removed.
constexpr int kTries = 100;

// ESTALE: what NFS says of something that another machine has removed.
bool IsGone(int error_number) { return error_number == ENOENT || error_number == ESTALE; }

Result<std::vector<std::string>> NamesIn(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    names.push_back(at->path().filename());
  }
  if (error && !IsGone(error.value())) return FileError(error.value(), "list", path);
  return names;
}

// 0 or an errno; EEXIST: the name is taken, by whomever.
int RenameUnlessTaken(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) return errno;
  // A file system without that call, such as NFS.
  if (::link(from.c_str(), to.c_str()) != 0) return errno;
  return ::unlink(from.c_str()) == 0 || IsGone(errno) ? 0 : errno;
}

bool HaveTheSameBytes(const std::string& one, const std::string& other) {
  std::ifstream first(one, std::ios::binary);
  std::ifstream second(other, std::ios::binary);
  using Bytes = std::istreambuf_iterator<char>;
  return first && second && std::equal(Bytes(first), Bytes(), Bytes(second), Bytes());
}

}  // namespace

WriterDirectory::WriterDirectory(std::shared_ptr<FileTree> tree, WriterId writer, WriterOwner owner,
                                 std::string extension)
    : tree_(std::move(tree)),
      writer_(std::move(writer)),
      owner_(std::move(owner)),
      extension_(std::move(extension)),
      prefix_(FilePrefix(writer_)),
      path_(tree_->PathOf(DirectoryName(prefix_, owner_))) {}

// The own directory is made before others are looked for: of two that take over at the same time,
// at least one sees the other.
Status WriterDirectory::Fence() {
  if (::mkdir(path_.c_str(), 0777) != 0 && errno != EEXIST) {
    return FileError(errno, "make directory", path_);
  }
  WS_RETURN_IF_ERROR(tree_->SyncDirectory(tree_->root()));
  WS_ASSIGN_OR_RETURN(std::vector<WriterOwner> former, Owners());
  std::erase(former, owner_);
  for (const WriterOwner& other : former) {
    if (other.attempt < owner_.attempt) continue;
    ::rmdir(path_.c_str());
    return TakenOver(writer_.writer, tree_->root(), other, owner_);
  }
  for (const WriterOwner& other : former) {
    if (!IsPlanted(PlantedBug::kNoFencing)) WS_RETURN_IF_ERROR(Adopt(other));
  }
  WS_RETURN_IF_ERROR(ReadMarker());
  return PublishCommitted();
}

Result<std::vector<WriterOwner>> WriterDirectory::Owners() const {
  WS_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(tree_->root()));
  std::vector<WriterOwner> owners;
  for (const std::string& name : names) {
    if (auto owner = OwnerOfDirectory(name, prefix_)) owners.push_back(*std::move(owner));
  }
  return owners;
}

// In any order: what a file here means is decided when the last one is.
Status WriterDirectory::Adopt(const WriterOwner& former) {
  const std::string path = tree_->PathOf(DirectoryName(prefix_, former));
  for (int i = 0; i < kTries; ++i) {
    WS_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(path));
    for (const std::string& name : names) {
      const std::string from = path + "/" + name;
      // The former owner may have published or removed it just now.
      if (::rename(from.c_str(), PathOf(name).c_str()) != 0 && !IsGone(errno)) {
        return FileError(errno, "move", from);
      }
    }
    WS_RETURN_IF_ERROR(Sync());
    if (::rmdir(path.c_str()) == 0 || IsGone(errno)) {
      WS_RETURN_IF_ERROR(tree_->SyncDirectory(tree_->root()));
      return Ok();
    }
    if (errno != ENOTEMPTY && errno != EEXIST) break;
  }
  return FileError(errno, "remove", path);
}

Status WriterDirectory::ReadMarker() {
  WS_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(path_));
  for (const std::string& name : names) {
    const auto marker = MarkerOf(name);
    if (marker && marker->epoch > marker_.epoch) marker_ = *marker;
  }
  for (const std::string& name : names) {
    const auto epoch = EpochOfFile(name, prefix_);
    if (MarkerOf(name) || (epoch && *epoch <= marker_.epoch)) continue;
    // It must not be there when a later epoch is committed.
    if (::unlink(PathOf(name).c_str()) != 0 && !IsGone(errno)) {
      return FileError(errno, "remove", PathOf(name));
    }
  }
  return Ok();
}

Status WriterDirectory::Commit(CheckpointId epoch, std::span<const SinkSegment> segments) {
  if (segments.empty()) return Ok();
  if (epoch > marker_.epoch || IsPlanted(PlantedBug::kSegmentCommittedTwice)) {
    WS_RETURN_IF_ERROR(Stage(FileName(prefix_, epoch, extension_), segments));
    WS_RETURN_IF_ERROR(PutMarker(epoch));
    Pass(KillPoint::kCommitHasWritten);
  }
  // Also if this was asked before, and failed behind the marker.
  return PublishCommitted();
}

Status WriterDirectory::PublishUnmarked(CheckpointId number,
                                        std::span<const SinkSegment> segments) {
  if (segments.empty()) return Ok();
  const std::string name = FileName(prefix_, owner_.attempt, number, extension_);
  WS_RETURN_IF_ERROR(Stage(name, segments));
  Pass(KillPoint::kCommitHasWritten);
  WS_RETURN_IF_ERROR(Publish(name));
  return SyncPublished();
}

Status WriterDirectory::Stage(const std::string& name, std::span<const SinkSegment> segments) {
  const std::string path = PathOf(kUnfinished);
  ::unlink(path.c_str());  // a former try's
  const FileTree::Temporary file{
      FileDescriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)), path};
  if (!file.fd.is_open()) return Failed(errno, "make", path);
  for (const SinkSegment& segment : segments) {
    WS_ASSIGN_OR_RETURN(const SinkPayload::Bytes bytes, segment.payload.Read());
    Pass(KillPoint::kFileWrites);
    WS_RETURN_IF_ERROR(tree_->Write(file, *bytes));
  }
  Pass(KillPoint::kFileCommits);
  WS_RETURN_IF_ERROR(tree_->Sync(file));
  if (::rename(path.c_str(), PathOf(name).c_str()) != 0) return Failed(errno, "rename", path);
  WS_RETURN_IF_ERROR(Sync());
  Pass(KillPoint::kFileIsDurable);
  return Ok();
}

// Behind the file: a marker without it would say that it has been published.
Status WriterDirectory::PutMarker(CheckpointId epoch) {
  const std::string path = PathOf(MarkerName(epoch, owner_.job));
  const FileDescriptor marker(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!marker.is_open()) return Failed(errno, "make", path);
  WS_RETURN_IF_ERROR(Sync());
  marker_ = {epoch, owner_.job};
  return Ok();
}

Status WriterDirectory::PublishCommitted() {
  WS_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(path_));
  for (const std::string& name : names) {
    const auto epoch = EpochOfFile(name, prefix_);
    if (epoch && *epoch <= marker_.epoch) WS_RETURN_IF_ERROR(Publish(name));
  }
  WS_RETURN_IF_ERROR(SyncPublished());
  for (const std::string& name : names) {
    const auto marker = MarkerOf(name);
    if (marker && marker->epoch < marker_.epoch) ::unlink(PathOf(name).c_str());
  }
  return Ok();
}

Status WriterDirectory::Publish(const std::string& name) {
  const std::string from = PathOf(name);
  const std::string to = tree_->PathOf(name);
  const int error = RenameUnlessTaken(from, to);
  if (error == 0) return Ok();
  if (error != EEXIST) return Failed(error, "publish", from);
  if (HaveTheSameBytes(from, to)) {
    if (::unlink(from.c_str()) != 0 && !IsGone(errno)) return FileError(errno, "remove", from);
    return Ok();
  }
  return UserError(
      "{} is there with other content than is to be published (which waits in {}): somebody made "
      "or changed it. Move it away, and let the job go on from its newest checkpoint",
      to, from);
}

// The name that it has now first: between the two it may have both, but not none.
Status WriterDirectory::SyncPublished() {
  WS_RETURN_IF_ERROR(tree_->SyncDirectory(tree_->root()));
  return Sync();
}

Status WriterDirectory::Sync() {
  WS_ASSIGN_OR_RETURN(const bool is_there, tree_->SyncDirectory(path_));
  if (is_there) return Ok();
  return Failed(ENOENT, "sync directory", path_);
}

// The directory is only ever removed by whoever takes over, who has made another one before.
tl::unexpected<Error> WriterDirectory::Failed(int error_number, std::string_view doing,
                                              const std::string& path) {
  if (!IsGone(error_number)) return FileError(error_number, doing, path);
  auto others = Owners();
  if (!others) return tl::make_unexpected(std::move(others).error());
  std::erase(*others, owner_);
  const auto newest = std::ranges::max_element(*others, {}, &WriterOwner::attempt);
  if (newest != others->end()) {
    return TakenOver(writer_.writer, tree_->root(), *newest, owner_);
  }
  return UserError(
      "cannot {} '{}': it is gone, so somebody has removed {}, in which the progress of writer {} "
      "was kept. What is in {} stays there; go on with wsctl submit FILE -s PATH --fork",
      doing, path, path_, writer_.writer, tree_->root());
}

}  // namespace watershed
