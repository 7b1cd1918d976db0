// Prints rows to standard output, for trying jobs out.
#pragma once

#include <memory>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/registry.h"
#include "runtime/connectors/sink.h"

namespace watershed {

// A line a row, as Flink's print sink writes it: "+I[a, 1, null]". Times are UTC with milliseconds.
// With print-identifier the line begins "identifier> ", with several subtasks "2> " (counted from
// 1), with both "identifier:2> ". Every batch is one write, so lines of several subtasks do not
// mix.
Result<std::unique_ptr<Sink>> MakePrintSink(const OptionMap& options,
                                            const ConnectorContext& context);

// One row in that form, without the prefix and the end of line; appended to `out`.
void AppendPrintedRow(const RecordBatch& batch, int64_t row, std::string& out);

}  // namespace watershed
