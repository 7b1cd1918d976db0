// What job files may say of the `filesystem` sink, and the same as values.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/connectors/connector.h"
#include "runtime/types/result.h"

namespace watershed {

ConnectorSpec FilesystemSpec();

enum class FilesystemDelivery : uint8_t {
  kExactlyOnce,  // files appear with their checkpoint
  kAtLeastOnce,  // within a second; rows again in other files after a failure
};

struct FilesystemSinkOptions {
  std::string directory;  // by its absolute path
  FilesystemDelivery delivery = FilesystemDelivery::kExactlyOnce;
};

Result<FilesystemSinkOptions> ParseFilesystemSinkOptions(const OptionMap& options);

}  // namespace watershed
