// A format turns payload bytes into rows and back. Errors are by row, never by exception.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/types/record_batch.h"
#include "runtime/types/result.h"

namespace watershed {

// A record that could not be decoded. `index` is its place in the span given to Decode.
struct DecodeError {
  int32_t index = 0;
  std::string reason;  // names the field and what was expected; the caller adds where it came from
};

// One thread. Holds scratch memory, so make one per subtask.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Appends one row per good payload to `out` (built with the decoder's schema) and its index to
  // `decoded`; reports the others in `errors` and leaves no trace of them in `out`.
  // A payload's memory need not be padded. A null payload (data() == nullptr) is a tombstone: an
  // error.
  virtual void Decode(std::span<const std::string_view> payloads, BatchBuilder& out,
                      std::vector<int32_t>& decoded, std::vector<DecodeError>& errors) = 0;
};

// One thread.
class Encoder {
 public:
  virtual ~Encoder() = default;
  // Encodes every row; payload i is bytes[offsets[i], offsets[i + 1]). Clears both first.
  virtual Status Encode(const RecordBatch& batch, std::string& bytes,
                        std::vector<size_t>& offsets) = 0;
  // What names of files with such payloads, one a line, end in.
  virtual std::string_view file_extension() const { return "txt"; }
  // One that encodes the same batches, but only these columns: the keys of records. A user error
  // that names the columns there are.
  virtual Result<std::unique_ptr<Encoder>> OfColumns(std::span<const std::string> /*names*/) const {
    return UserError("the format cannot encode single columns");
  }
};

}  // namespace watershed
