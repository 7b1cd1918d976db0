// What is wrong with a job file, and where. Positions are 1-based, as editors count.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace watershed {

enum class Severity : uint8_t { kError, kWarning };

struct Diagnostic {
  std::string file;
  int line = 1;
  int column = 1;
  Severity severity = Severity::kError;
  std::string message;  // what is wrong, what was expected, "did you mean 'x'?"
};

// "jobs/a.yaml:3:5: error: unknown field 'gapp', did you mean 'gap'?"
std::string ToString(const Diagnostic& diagnostic);

// One diagnostic a line, in the order of their positions.
std::string ToString(const std::vector<Diagnostic>& diagnostics);

}  // namespace watershed
