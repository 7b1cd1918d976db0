#include <cstring>
#include <string>
#include <vector>

#include "runtime/exchange/frame_codec.h"
#include "tests/fuzz/targets.h"
#include "tests/unit/exchange/rows.h"

namespace watershed::fuzz {
namespace {

// Frames, each after its length in 32 bits; what is left is the last.
std::vector<std::string> Frames(std::string_view bytes) {
  std::vector<std::string> frames;
  while (bytes.size() > sizeof(uint32_t)) {
    uint32_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof(length));
    bytes.remove_prefix(sizeof(length));
    frames.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(frames.back().size());
  }
  return frames;
}

}  // namespace

void DataFrame(std::string_view bytes) {
  FrameDecoder whole(AllTypesSchema());
  (void)whole.Add(bytes);
  FrameDecoder decoder(AllTypesSchema());
  for (const std::string& frame : Frames(bytes)) {
    const auto batch = decoder.Add(frame);
    if (!batch) return;
    if (!*batch) continue;
    // What was taken can be sent on.
    std::vector<std::string> again;
    Must(EncodeFrames(**batch, again).has_value());
    FrameDecoder next(AllTypesSchema());
    int64_t rows = 0;
    for (const std::string& part : again) {
      const auto sent = next.Add(part);
      Must(sent.has_value());
      if (*sent) rows += (*sent)->num_rows();
    }
    Must(rows == (*batch)->num_rows());
  }
}

}  // namespace watershed::fuzz
