// Raw web events as the first users' feed has them: url, referrer, user_agent, host, ip, headers,
// event_time. Row number and seed determine a row; which subtask makes it does not matter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/connectors/datagen/options.h"
#include "runtime/connectors/datagen/random.h"
#include "runtime/types/record_batch.h"
#include "runtime/types/result.h"
#include "runtime/types/schema.h"

namespace watershed {

// One thread.
class WebTraffic {
 public:
  // The schema names the columns wanted, each of them one of the above; event_time is a timestamp,
  // the others are strings.
  static Result<WebTraffic> Create(const DatagenOptions& options, SchemaPtr schema);

  // Appends row `number` with this event time before disorder is applied.
  void AppendRow(int64_t number, int64_t time_ms, BatchBuilder& out);

 private:
  enum class Kind : uint8_t { kUrl, kReferrer, kUserAgent, kHost, kIp, kHeaders, kEventTime };

  WebTraffic(const DatagenOptions& options, std::vector<Kind> columns);
  void AppendUrl(RowRandom& random, Column& column);
  void AppendIp(int64_t ip_number, Column& column);

  DatagenOptions options_;
  std::vector<Kind> columns_;
  ZipfDistribution keys_;
  std::vector<std::string> hosts_;
  std::string text_;  // scratch
};

}  // namespace watershed
