// Rows to files in a directory, one payload of the format a line.
//
// An epoch of a writer is a file, which appears whole when its checkpoint is complete. Its name
// says sink, lineage, writer and epoch (file_name.h). Until then, and the marker of what is
// committed at all times, it is in a hidden directory of the writer (writer_directory.h). With
// at-least-once files appear within a second, and rows of a former attempt's may come again in
// others.
#pragma once

#include <memory>

#include "runtime/connectors/connector.h"
#include "runtime/connectors/registry.h"
#include "runtime/connectors/sink.h"

namespace watershed {

Result<std::unique_ptr<Sink>> MakeFilesystemSink(const OptionMap& options,
                                                 std::unique_ptr<Encoder> encoder,
                                                 const ConnectorContext& context);

}  // namespace watershed
