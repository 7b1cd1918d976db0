// Files of variables, such as flink-env.env: what `docker compose` and `source` in a shell both
// take.
//
//   # comment
//   KAFKA_URL=broker:9092
//   export KAFKA_GROUP='web events'      # single quotes: as it is
//   POSTGRES_PASSWORD="a \"b\" $c"       # double quotes: \" \\ \n \t \$; nothing is expanded
//
// Unquoted values end at " #" or the end of the line and are trimmed. A later line wins.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runtime/types/result.h"

namespace watershed {

// A line that cannot be read is a user error "FILE:LINE: …" that does not repeat the line's value.
Result<std::map<std::string, std::string, std::less<>>> ParseEnvFile(std::string_view text,
                                                                     std::string_view file_name);

}  // namespace watershed
