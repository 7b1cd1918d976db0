// Files in a directory of their own, removed with it.
#pragma once

#include <fstream>
#include <string>

#include "tests/support/test_directory.h"

namespace watershed {

class FilesForTest {
 public:
  // Writes a file and returns its path.
  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = directory() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  const std::string& directory() const { return directory_.path(); }

 private:
  const TestDirectory directory_;
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
