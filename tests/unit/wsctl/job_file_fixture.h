// Files in a directory of their own, removed with it.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace watershed {

class FilesForTest {
 public:
  FilesForTest() {
    std::string name = (std::filesystem::temp_directory_path() / "wsctl-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = name;
  }
  ~FilesForTest() { std::filesystem::remove_all(directory_); }
  FilesForTest(const FilesForTest&) = delete;

  // Writes a file and returns its path.
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name) << text;
    return directory_ / name;
  }
  std::string directory() const { return directory_; }

 private:
  std::filesystem::path directory_;
};

// A valid job; SINK chooses its sink's connector.
inline const std::string kNumbersJob = R"(kind: Job
name: numbers
sources:
  rows:
    connector: datagen
    number-of-rows: 10
    columns:
      ip: string
sinks:
  out:
    input: rows
    connector: ${SINK:blackhole}
)";

}  // namespace watershed
