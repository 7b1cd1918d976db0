#include "jobmanager/store/stored_log.h"

#include <utility>
#include <vector>

#include "jobmanager/store/stored_state.h"

namespace watershed {
namespace {

Error Within(Error error, const NumberedLog& log, int64_t number) {
  return std::move(error).Within(fmt::format("entry {}", log.UriOf(number)));
}

}  // namespace

Result<v1::LogEntry> ParseEntry(const NumberedLog& log, const NumberedLog::Entry& stored) {
  v1::LogEntry entry;
  if (entry.ParseFromString(stored.payload)) return entry;
  const Status unread = InternalError("its content is no message that this version can read");
  return tl::make_unexpected(Within(unread.error(), log, stored.number));
}

Result<StoredLog> ReadLog(NumberedLog& log) {
  WS_ASSIGN_OR_RETURN(const std::vector<NumberedLog::Entry> entries, log.Read());
  StoredLog read;
  read.entries = static_cast<int>(entries.size());
  for (const NumberedLog::Entry& stored : entries) {
    WS_ASSIGN_OR_RETURN(const v1::LogEntry entry, ParseEntry(log, stored));
    if (const Status applied = Apply(read.state, entry); !applied) {
      return tl::make_unexpected(Within(applied.error(), log, stored.number));
    }
  }
  return read;
}

}  // namespace watershed
