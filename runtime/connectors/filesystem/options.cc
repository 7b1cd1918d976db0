#include "runtime/connectors/filesystem/options.h"

#include <array>
#include <utility>

#include "runtime/connectors/option_values.h"
#include "runtime/storage/object_storage.h"

namespace watershed {
namespace {

constexpr std::array kDeliveries = {
    std::pair<std::string_view, FilesystemDelivery>{"exactly-once",
                                                    FilesystemDelivery::kExactlyOnce},
    std::pair<std::string_view, FilesystemDelivery>{"at-least-once",
                                                    FilesystemDelivery::kAtLeastOnce},
};

Result<std::string> ParsePath(std::string_view uri) {
  Result<std::string> directory = DirectoryOfUri(uri);
  if (!directory || directory->size() > 1) return directory;
  return UserError("'{}' is the root of all files: name a directory of its own, such as /data/hits",
                   uri);
}

std::vector<OptionProblem> Check(const OptionMap& options, bool /*is_sink*/) {
  const std::string* text = FindOption(options, "path");
  if (text == nullptr) return {};
  const auto path = ParsePath(*text);
  if (path) return {};
  return {{"path", path.error().message}};
}

SinkGuarantee GuaranteeOf(const OptionMap& options) {
  if (OptionOr(options, "delivery", "exactly-once") == "at-least-once") {
    return {"at-least-once",
            "files appear whole within a second; after a failure rows may come again in another "
            "file, none is missing"};
  }
  return {"exactly-once",
          "files appear whole when their checkpoint is complete, each row in one of them, once, "
          "though files be moved away; names that begin with '.' are the job's own",
          /*visible_at_checkpoint=*/true};
}

}  // namespace

ConnectorSpec FilesystemSpec() {
  return {
      .name = "filesystem",
      .is_sink = true,
      .needs_format = true,
      .sink_options =
          {
              {.name = "path",
               .required = true,
               .description = "Directory that the files are written to, seen by all TaskManagers: "
                              "an absolute path or file:///path"},
              {.name = "delivery",
               .type = OptionType::kEnum,
               .default_value = "exactly-once",
               .choices = {"exactly-once", "at-least-once"},
               .description = "exactly-once: files appear once their checkpoint is complete, each "
                              "row in one of them; at-least-once: within a second, rows again in "
                              "another file after a failure"},
          },
      .sink_guarantee = GuaranteeOf,
      .check = Check,
  };
}

Result<FilesystemSinkOptions> ParseFilesystemSinkOptions(const OptionMap& options) {
  FilesystemSinkOptions parsed;
  WS_ASSIGN_OR_RETURN(parsed.directory, ParsePath(OptionOr(options, "path", "")));
  WS_ASSIGN_OR_RETURN(parsed.delivery,
                      ParseChoice(options, "delivery", "exactly-once", kDeliveries));
  return parsed;
}

}  // namespace watershed
