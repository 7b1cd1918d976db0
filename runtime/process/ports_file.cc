#include "runtime/process/ports_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace watershed {

Status WritePortsFile(const std::string& path, const std::map<std::string, int>& ports) {
  if (path.empty()) return Ok();
  std::string json = "{";
  for (const auto& [name, port] : ports) {
    json += fmt::format("{}\"{}\": {}", json.size() > 1 ? ", " : "", name, port);
  }
  json += "}\n";
  const std::string temporary = fmt::format("{}.{}", path, ::getpid());
  {
    std::ofstream file(temporary, std::ios::trunc);
    file << json;
    if (!file.flush()) {
      return ExternalError("ports file '{}' cannot be written: {}", path, std::strerror(errno));
    }
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) {
    return ExternalError("ports file '{}' cannot be written: {}", path, std::strerror(errno));
  }
  return Ok();
}

}  // namespace watershed
