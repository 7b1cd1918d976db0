// What the files of a sink are called: by sink, lineage, writer and epoch, and so the same whoever
// writes them, and whenever. Parts are joined by '.', which none of them has in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/connectors/sink.h"
#include "runtime/connectors/writer_owner.h"
#include "runtime/types/ids.h"

namespace watershed {

// "<sink>.<lineage>.<writer>.". Bytes other than letters, digits, '_' and '-' become "%xx", so that
// no two writers share one.
std::string FilePrefix(const WriterId& writer);

// "<prefix><epoch>.<extension>": each epoch once.
std::string FileName(std::string_view prefix, CheckpointId epoch, std::string_view extension);
// The epoch of a name that begins with this prefix; nothing for other names.
std::optional<CheckpointId> EpochOfFile(std::string_view name, std::string_view prefix);
// "<prefix><attempt>-<number>.<extension>": of rows that another attempt may write again, under a
// name of its own.
std::string FileName(std::string_view prefix, Attempt attempt, CheckpointId number,
                     std::string_view extension);

// ".watershed.<prefix><attempt>.<job>": the hidden directory of a writer that this one owns.
std::string DirectoryName(std::string_view prefix, const WriterOwner& owner);
// Nothing for what is no such directory of this prefix.
std::optional<WriterOwner> OwnerOfDirectory(std::string_view name, std::string_view prefix);

// ".committed.<epoch>.<job>": the marker.
std::string MarkerName(CheckpointId epoch, std::string_view job);
struct FileMarker {
  CheckpointId epoch{-1};
  std::string job;
};
// Nothing for other names.
std::optional<FileMarker> MarkerOf(std::string_view name);

}  // namespace watershed
