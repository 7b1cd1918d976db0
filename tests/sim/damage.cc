#include "tests/sim/damage.h"

#include <fmt/format.h>

#include <vector>

#include "runtime/checkpoint/manifest.h"
#include "tests/sim/observer.h"

namespace watershed::sim {
namespace {

constexpr int kManifest = 200;  // in thousandths

std::string Damage(Random& random, FaultyStorage& storage, const std::string& name,
                   std::string bytes) {
  switch (random.Below(3)) {
    case 0:
      storage.Flip(name, static_cast<size_t>(random.Below(std::ssize(bytes))),
                   static_cast<uint8_t>(1 << random.Below(8)));
      return "a bit is changed in " + name;
    case 1:
      bytes.resize(static_cast<size_t>(random.Below(std::ssize(bytes))));
      storage.Replace(name, std::move(bytes));
      return name + " is cut";
    default:
      storage.Remove(name);
      return name + " is gone";
  }
}

}  // namespace

std::string DamageNewestCheckpoint(Cluster* cluster) {
  Observer& observer = cluster->observer();
  if (observer.retained().empty()) return "";
  Random& random = cluster->schedule().random();
  const v1::CheckpointEntry& newest = observer.retained().back();
  const std::string uri = JoinUri(Cluster::kCheckpointDirectory, newest.job_id());
  std::string name = newest.checkpoint().manifest().name();
  const auto bytes = cluster->Peek(uri, name);
  const auto manifest = bytes ? DecodeManifest(*bytes) : ExternalError("gone");
  if (!manifest) return "";
  std::vector<std::string> files;
  for (const v1::SubtaskSnapshot& part : manifest->subtasks()) {
    ForEachFile(part,
                [&](const std::string&, const v1::FileRef& file) { files.push_back(file.name()); });
  }
  if (!files.empty() && !random.Chance(kManifest)) name = random.Pick(files);
  std::string whole = cluster->Peek(uri, name).value_or("");
  if (whole.empty()) return "";
  observer.OnDamaged(name);
  return Damage(random, *cluster->storages().at(uri), name, std::move(whole));
}

}  // namespace watershed::sim
