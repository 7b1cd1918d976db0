// Names that never repeat: job ids, lineages, files of a start of a task.
#pragma once

#include <string>

namespace watershed {

// 128 random bits as 32 lowercase hex digits. Thread-safe.
std::string RandomHex();

}  // namespace watershed
