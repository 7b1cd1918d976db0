#include "runtime/checkpoint/manifest.h"
#include "runtime/connectors/kafka/segment.h"
#include "tests/fuzz/targets.h"

namespace watershed::fuzz {

void Manifest(std::string_view bytes) {
  (void)DecodeManifest(bytes);
  (void)ReadKafkaSegment(bytes);
}

}  // namespace watershed::fuzz
