// Prints, as one JSON object, what the manifest of a completed checkpoint says of how it was taken.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "runtime/checkpoint/layout.h"
#include "runtime/checkpoint/manifest.h"
#include "runtime/storage/object_storage.h"

namespace watershed {
namespace {

Result<nlohmann::json> FiguresOf(const std::string& path) {
  WS_ASSIGN_OR_RETURN(const RestorePath place, ParseRestorePath(path));
  WS_ASSIGN_OR_RETURN(const auto storage, OpenStorage(place.directory));
  WS_ASSIGN_OR_RETURN(const v1::CheckpointManifest manifest,
                      ReadManifest(*storage, place.manifest));
  int64_t position = 0, sync_us = 0, alignment_us = 0, async_us = 0;
  for (const v1::SubtaskSnapshot& part : manifest.subtasks()) {
    for (const v1::SplitSnapshot& split : part.splits()) position += split.next_position();
    sync_us = std::max(sync_us, part.figures().sync_us());
    alignment_us = std::max(alignment_us, part.figures().alignment_us());
    async_us = std::max(async_us, part.figures().async_us());
  }
  return nlohmann::json{{"id", manifest.checkpoint_id()},
                        {"position", position},  // the sum over all splits
                        {"sync_us", sync_us},    // the longest of a task, as the next two
                        {"alignment_us", alignment_us},
                        {"async_us", async_us}};
}

}  // namespace
}  // namespace watershed

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: checkpoint_figures PATH-OF-THE-CHECKPOINT\n";
    return 2;
  }
  const auto figures = watershed::FiguresOf(argv[1]);
  if (!figures) {
    std::cerr << figures.error().message << "\n";
    return 1;
  }
  std::cout << figures->dump() << "\n";
  return 0;
}
