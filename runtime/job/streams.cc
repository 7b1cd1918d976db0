#include "runtime/job/streams.h"

#include <utility>
#include <vector>

#include "runtime/job/nearest_name.h"
#include "runtime/job/yaml_map.h"

namespace watershed {

bool Streams::Claim(const MarkedText& name, const std::string& what) {
  const auto [entry, added] = taken_.emplace(name.value, what);
  if (added) return true;
  diagnostics_.Error(name.mark,
                     "{}: the name is already that of {}; sources, operators, late rows and sinks "
                     "share one name space",
                     what, entry->second);
  return false;
}

void Streams::Declare(const MarkedText& name, Stream stream) {
  stream.mark = name.mark;
  if (Claim(name, stream.what)) streams_.emplace(name.value, std::move(stream));
}

void Streams::DeclareSink(const MarkedText& name) {
  Claim(name, fmt::format("sink '{}'", name.value));
}

void Streams::SetSchema(const std::string& name, Schema schema) {
  const auto stream = streams_.find(name);
  if (stream != streams_.end()) stream->second.schema = std::move(schema);
}

const Stream* Streams::Use(const MarkedText& input, const std::string& user) {
  if (input.value.empty()) {  // its absence was reported
    unknown_input_ = true;
    return nullptr;
  }
  const auto stream = streams_.find(input.value);
  if (stream != streams_.end()) {
    ++stream->second.uses;
    return &stream->second;
  }
  unknown_input_ = true;
  const auto taken = taken_.find(input.value);
  if (taken != taken_.end()) {
    diagnostics_.Error(input.mark, "{}: input '{}' is a sink, which has no output", user,
                       input.value);
    return nullptr;
  }
  std::vector<std::string_view> names;
  for (const auto& [name, other] : streams_) {
    if (other.what != user) names.push_back(name);
  }
  if (names.empty()) return nullptr;  // that there are no sources was reported
  diagnostics_.Error(input.mark, "{}: unknown input '{}'{}", user, Shown(input),
                     Suggestion(input.value, names));
  return nullptr;
}

void Streams::ReportUnused() const {
  // A misspelt input leaves the right one unused: one error is enough.
  if (unknown_input_) return;
  for (const auto& [name, stream] : streams_) {
    if (stream.uses > 0) continue;
    diagnostics_.Error(stream.mark,
                       "{} {} never used: make '{}' the input of an operator or a sink, "
                       "or remove it",
                       stream.what, stream.ref.side_output().empty() ? "is" : "are", name);
  }
}

std::optional<int> FindColumn(const Schema& schema, const MarkedText& column,
                              const std::string& user, DiagnosticList& diagnostics) {
  const std::optional<int> index = schema.IndexOf(column.value);
  if (index) return index;
  std::vector<std::string_view> names;
  for (const Field& field : schema.fields()) names.push_back(field.name);
  diagnostics.Error(column.mark, "{}: unknown column '{}'{}", user, Shown(column),
                    Suggestion(column.value, names));
  return std::nullopt;
}

}  // namespace watershed
