// Durable storage with the few operations that a directory and an object store have in common: no
// rename, no overwrite. Checkpoints and the JobManager's log live here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/result.h"

namespace watershed {

// An object under way: nobody sees it before Commit. Destroyed without Commit it leaves nothing.
// One thread at a time.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual Status Append(std::string_view bytes) = 0;
  // Durable and visible, whole, when it returns true. False: the name is taken, and what is there
  // stays. An error leaves open whether the object is there; it is whole if it is.
  virtual Result<bool> Commit() = 0;
};

// An object that is read from its beginning. One thread at a time.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual int64_t size_bytes() const = 0;  // of the whole object, as it was when it was opened
  // The next bytes, as many as fit; fewer only at the end. Not to be asked again after an error.
  virtual Result<size_t> Read(std::span<char> into) = 0;
};

struct ObjectInfo {
  std::string name;
  int64_t size_bytes = 0;
  int64_t modified_ms = 0;  // wall clock of the storage; to tell orphans that are surely old
};

// Names are relative to the storage's root: components of [A-Za-z0-9._-] joined by '/', none of
// them "." or ".." (object_name.h). Every call blocks and may be made from any thread. An error is
// external; it is retryable unless trying again cannot help (no permission, a name that is a
// directory).
class ObjectStorage {
 public:
  virtual ~ObjectStorage() = default;

  virtual Result<std::unique_ptr<ObjectWriter>> Create(std::string_view name) = 0;
  // Create, Append, Commit.
  virtual Result<bool> PutIfAbsent(std::string_view name, std::string_view bytes);
  // Nothing when there is no such object.
  virtual Result<std::optional<std::string>> Get(std::string_view name) = 0;
  // To read it without holding all of it; null when there is no such object. Here: a Get.
  virtual Result<std::unique_ptr<ObjectReader>> Open(std::string_view name);
  // Everything whose name begins with `prefix`, in the order of names. Sees all that was committed
  // before the call.
  virtual Result<std::vector<ObjectInfo>> List(std::string_view prefix) = 0;
  // No error when it is not there.
  virtual Status Delete(std::string_view name) = 0;

  // For people: "file:///var/lib/watershed/checkpoints".
  virtual const std::string& uri() const = 0;
};

// Opens the root that a URI names: "file:///directory" or an absolute path. Makes the directory and
// writes to it once, so that a wrong setting is told at once. Other schemes are refused by name.
// Owner-only is for what holds secrets: nobody but the user of this process may read it. Existing
// is for what somebody named to be read or deleted: nothing is made or written, and a directory
// that is missing is a user error.
enum class StorageAccess : uint8_t { kUmask, kOwnerOnly, kExisting };
Result<std::shared_ptr<ObjectStorage>> OpenStorage(std::string_view uri,
                                                   StorageAccess access = StorageAccess::kUmask);
// The directory that such a URI names, by its absolute path in one spelling. A user error for other
// schemes and for what is no absolute path.
Result<std::string> DirectoryOfUri(std::string_view uri);
// The URI of something below a root.
std::string JoinUri(std::string_view uri, std::string_view name);

}  // namespace watershed
