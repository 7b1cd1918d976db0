#include "tests/support/synced_disk.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

namespace watershed {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::map<std::string, ino_t> NamesIn(const fs::path& directory) {
  std::map<std::string, ino_t> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    struct stat info;
    if (::lstat(entry.path().c_str(), &info) == 0) names[entry.path().filename()] = info.st_ino;
  }
  return names;
}

}  // namespace

int SyncedDisk::Sync(int fd) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return -1;
  const fs::path path = fs::read_symlink(fmt::format("/proc/self/fd/{}", fd));
  if (S_ISDIR(info.st_mode)) {
    directories_[info.st_ino] = NamesIn(path);
  } else {
    contents_[info.st_ino] = ReadFile(path);
  }
  return 0;
}

std::optional<std::string> SyncedDisk::Get(const fs::path& root, const std::string& name) const {
  struct stat info;
  if (::stat(root.c_str(), &info) != 0) return std::nullopt;
  ino_t at = info.st_ino;
  for (const fs::path& part : fs::path(name)) {
    const auto directory = directories_.find(at);
    if (directory == directories_.end() || !directory->second.contains(part)) return std::nullopt;
    at = directory->second.at(part);
  }
  const auto content = contents_.find(at);
  return content == contents_.end() ? "" : content->second;
}

}  // namespace watershed
