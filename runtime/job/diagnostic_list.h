// Collects what is found wrong while a job file is compiled.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/job/diagnostic.h"
#include "runtime/job/source_mark.h"

namespace watershed {

class DiagnosticList {
 public:
  explicit DiagnosticList(std::string file) : file_(std::move(file)) {}

  template <typename... Args>
  void Error(Mark mark, fmt::format_string<Args...> format, Args&&... args) {
    ++errors_;
    Add(mark, Severity::kError, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void Warning(Mark mark, fmt::format_string<Args...> format, Args&&... args) {
    Add(mark, Severity::kWarning, fmt::format(format, std::forward<Args>(args)...));
  }
  int errors() const { return errors_; }
  // By position; those at the same place in the order they were found.
  std::vector<Diagnostic> Sorted() const;

 private:
  void Add(Mark mark, Severity severity, std::string message) {
    diagnostics_.push_back({file_, mark.line, mark.column, severity, std::move(message)});
  }

  std::string file_;
  std::vector<Diagnostic> diagnostics_;
  int errors_ = 0;
};

}  // namespace watershed
