#include "wsctl/doctor/sample.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "runtime/connectors/registry.h"
#include "runtime/engine/record_decoder.h"
#include "runtime/formats/registry.h"
#include "runtime/types/schema_proto.h"

namespace watershed {
namespace {

constexpr int kSampleRecords = 100;
constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kPoll{200};

// Everything that the topic holds now, whatever the job would begin with.
v1::Connector FromTheBeginning(v1::Connector connector) {
  auto& options = *connector.mutable_options();
  for (auto option = options.begin(); option != options.end();) {
    const bool is_range =
        option->first.starts_with("scan.startup.") || option->first.starts_with("scan.bounded.");
    option = is_range ? options.erase(option) : std::next(option);
  }
  options["scan.startup.mode"] = "earliest-offset";
  options["scan.bounded.mode"] = "latest-offset";
  return connector;
}

class SourceExamination {
 public:
  SourceExamination(const std::string& job_name, const v1::PlanNode& node,
                    const std::set<std::string>& keys, std::vector<Finding>& findings)
      : node_(node), keys_(keys), findings_(findings) {
    context_.job_name = job_name + "-doctor";
    context_.operator_id = node.id();
    context_.clock = &SystemClock();
    context_.metrics = &metrics_;
  }

  void Run() {
    const v1::TableSourceScan& scan = node_.table_source_scan();
    if (scan.format().name().empty()) {
      return Add(Health::kOk, "connector", "connection",
                 fmt::format("'{}' makes its rows itself", scan.connector().name()));
    }
    const auto splits = Discover(scan.connector());
    if (!splits) return Add(Health::kError, "topic", "connection", splits.error().message);
    std::set<std::string> topics;
    for (const SourceSplit& split : *splits) topics.insert(split.topic);
    Add(Health::kOk, "topic", "connection",
        fmt::format("topic {} can be read: {} partitions", fmt::join(topics, ", "),
                    splits->size()));
    if (Status sampled = Sample(scan); !sampled) {
      Add(Health::kError, "topic", "sample", sampled.error().message);
    }
  }

 private:
  void Add(Health health, const char* option, const char* check, std::string message) {
    findings_.push_back({health, "source " + node_.id(), option, check, std::move(message)});
  }

  Result<std::vector<SourceSplit>> Discover(const v1::Connector& connector) {
    WS_ASSIGN_OR_RETURN(const auto enumerator, MakeSplitEnumerator(connector, context_));
    return enumerator->Discover();
  }

  Status Sample(const v1::TableSourceScan& scan) {
    const v1::Connector connector = FromTheBeginning(scan.connector());
    WS_ASSIGN_OR_RETURN(const auto splits, Discover(connector));
    WS_ASSIGN_OR_RETURN(const SchemaPtr schema, SchemaFromProto(node_.output_schema()));
    WS_ASSIGN_OR_RETURN(const auto decoder, MakeDecoder(scan.format(), schema));
    WS_ASSIGN_OR_RETURN(const auto source, MakeSource(connector, schema, context_));
    WS_RETURN_IF_ERROR(source->Open(splits));
    const auto until = std::chrono::steady_clock::now() + kPatience;
    BatchBuilder rows(schema);
    PolledRecords polled;
    while (records_ < kSampleRecords && std::chrono::steady_clock::now() < until) {
      polled.Clear();
      WS_RETURN_IF_ERROR(source->Poll(polled, kSampleRecords - records_, kPoll));
      Decode(polled, splits, *decoder, rows);
      if (polled.finished) break;
    }
    source->Close();
    Tell(rows.Finish(), scan.on_error().action());
    return Ok();
  }

  void Decode(const PolledRecords& polled, const std::vector<SourceSplit>& splits, Decoder& decoder,
              BatchBuilder& rows) {
    std::vector<std::string_view> payloads;
    payloads.reserve(polled.raw.size());
    for (const RawRecord& record : polled.raw) payloads.push_back(record.value);
    records_ += static_cast<int>(payloads.size());
    std::vector<int32_t> decoded;
    std::vector<DecodeError> errors;
    decoder.Decode(payloads, rows, decoded, errors);
    bad_ += static_cast<int>(errors.size());
    if (errors.empty() || !first_bad_.empty()) return;
    const RawRecord& record = polled.raw[static_cast<size_t>(errors[0].index)];
    first_bad_ = fmt::format(
        "{}: {}; the record: {}",
        DescribePosition(splits[static_cast<size_t>(record.split_index)], record.position),
        errors[0].reason, ShortenedPayload(record.value));
  }

  void Tell(const RecordBatch& rows, v1::OnError::Action on_error) {
    const bool skips = on_error == v1::OnError::SKIP;
    const bool to_dead_letters = on_error == v1::OnError::DEAD_LETTER;
    const bool goes_on = skips || to_dead_letters;
    if (records_ == 0) {
      return Add(Health::kWarning, "topic", "sample",
                 "the topic holds no record now, so its columns could not be checked");
    }
    if (bad_ > 0) {
      // To skip some is what the file asks for; to skip all is a job that does nothing.
      Add(goes_on && bad_ < records_ ? Health::kWarning : Health::kError, "columns", "sample",
          fmt::format(
              "{} of {} sampled records do not fit the columns and would {}. The first: {}. "
              "Mend the columns' types or patterns{}",
              bad_, records_,
              skips             ? "be skipped"
              : to_dead_letters ? "become dead letters"
                                : "fail the job",
              first_bad_,
              goes_on ? ""
                      : ", or say what happens with such records: on-error: { action: skip }"));
    }
    bool all_there = bad_ == 0;
    for (int i = 0; i < rows.num_columns() && rows.num_rows() > 0; ++i) {
      if (rows.column(i).null_count() < rows.num_rows()) continue;
      all_there = false;
      const std::string& name = rows.schema()->field(i).name;
      const bool is_key = keys_.contains(name);
      findings_.push_back(
          {is_key ? Health::kError : Health::kWarning, "source " + node_.id(), "columns." + name,
           "sample",
           fmt::format("column '{}'{} is NULL in all of {} sampled records: is that how the "
                       "records call it? `path` names another field",
                       name, is_key ? ", by which rows are grouped," : "", rows.num_rows())});
    }
    if (all_there) {
      Add(Health::kOk, "columns", "sample",
          fmt::format("{} sampled records fit the {} columns that the job uses", records_,
                      rows.num_columns()));
    }
  }

  const v1::PlanNode& node_;
  const std::set<std::string>& keys_;
  std::vector<Finding>& findings_;
  MetricRegistry registry_;
  MetricGroup metrics_{&registry_, {}};
  ConnectorContext context_;
  int records_ = 0;
  int bad_ = 0;
  std::string first_bad_;
};

}  // namespace

void ExamineSource(const std::string& job_name, const v1::PlanNode& node,
                   const std::set<std::string>& keys, std::vector<Finding>& findings) {
  SourceExamination(job_name, node, keys, findings).Run();
}

}  // namespace watershed
