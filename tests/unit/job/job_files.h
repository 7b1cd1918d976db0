// Job files of the repository, for tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/job/compile.h"

namespace watershed::testing {

// Content of a file below the repository's root; fails the test if it cannot be read.
std::string ReadRepositoryFile(const std::string& path);

// Paths of jobs/*.yaml relative to the root, sorted.
std::vector<std::string> JobFilePaths();

// Compiles with these variables; fails the test, with all messages, if there is an error.
v1::JobGraph CompileOrFail(const std::string& text, const Variables& variables = {});

}  // namespace watershed::testing
