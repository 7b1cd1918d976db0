// The named outputs of a job: those of sources and operators, and their late rows. One name space.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "runtime/job/diagnostic_list.h"
#include "runtime/job/source_mark.h"
#include "runtime/types/schema.h"
#include "watershed/v1/job_graph.pb.h"

namespace watershed {

struct Stream {
  std::string what;  // "operator 'sessions'", for messages
  Mark mark;         // where it got its name
  v1::OutputRef ref;
  std::string why_no_event_time;  // what to do if a window needs it, for messages
  // Unknown until the node is resolved, and for good after an error there.
  std::optional<Schema> schema;
  int uses = 0;
};

class Streams {
 public:
  explicit Streams(DiagnosticList& diagnostics) : diagnostics_(diagnostics) {}

  // Reports a name that is taken. Sinks have names too, but nothing can read from them.
  void Declare(const MarkedText& name, Stream stream);
  void DeclareSink(const MarkedText& name);
  void SetSchema(const std::string& name, Schema schema);

  // The stream an `input` names; counts as a use. nullptr after an error.
  const Stream* Use(const MarkedText& input, const std::string& user);
  // Nothing may be reported as unused: what would use it was not understood.
  void SuppressUnused() { unknown_input_ = true; }
  void ReportUnused() const;

 private:
  bool Claim(const MarkedText& name, const std::string& what);

  DiagnosticList& diagnostics_;
  std::map<std::string, Stream, std::less<>> streams_;
  std::map<std::string, std::string, std::less<>> taken_;  // name -> what has it
  bool unknown_input_ = false;
};

// Index of a column of `schema`; reports an unknown one with the nearest name.
std::optional<int> FindColumn(const Schema& schema, const MarkedText& column,
                              const std::string& user, DiagnosticList& diagnostics);

}  // namespace watershed
