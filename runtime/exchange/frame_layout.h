// What the frame encoder and decoder share. Private to exchange/.
#pragma once

#include <cstddef>
#include <cstdint>

namespace watershed::frame_layout {

struct FrameHeader {
  uint8_t version;
  uint8_t flags;
  uint16_t reserved;
};
static_assert(sizeof(FrameHeader) == 4);
inline constexpr uint8_t kFirstPart = 1;
inline constexpr uint8_t kLastPart = 2;

struct BodyHeader {
  uint32_t rows;
  uint16_t columns;
  uint8_t has_row_kinds;
  uint8_t reserved;
};
static_assert(sizeof(BodyHeader) == 8);

struct ColumnHeader {
  uint8_t kind;
  uint8_t has_nulls;
  uint16_t reserved;
};
static_assert(sizeof(ColumnHeader) == 4);

constexpr size_t NullWords(size_t rows) { return (rows + 63) / 64; }

}  // namespace watershed::frame_layout
