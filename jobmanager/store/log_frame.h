// One entry of the numbered log as an object's bytes, all numbers little-endian:
//   "WSLOGENT"          8 bytes
//   version             4: kLogFrameVersion
//   flags               4: 1 = the entry sums up all before it
//   number              8: as in the object's name
//   writer              8: who wrote it; random, so that no two processes write the same bytes
//   previous checksum   8: that of the entry before, so that entries of two histories never mix
//   payload length      8
//   checksum            8: XXH3_64 of all bytes before it, followed by the payload
//   payload             and nothing after it
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/types/result.h"

namespace watershed {

inline constexpr uint32_t kLogFrameVersion = 1;

struct LogFrame {
  int64_t number = 0;
  bool is_snapshot = false;
  uint64_t writer = 0;
  uint64_t previous_checksum = 0;
  uint64_t checksum = 0;  // set by Encode and Decode
  std::string payload;
};

// Sets frame.checksum.
std::string EncodeLogFrame(LogFrame& frame);
// An external error says what is wrong with the bytes; a user error names a version above ours.
Result<LogFrame> DecodeLogFrame(std::string_view bytes);

}  // namespace watershed
