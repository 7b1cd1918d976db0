// Rows of the same kind (jobs, checkpoints, TaskManagers, …), as `get` shows and watches them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "wsctl/output.h"
#include "wsctl/table.h"

namespace watershed {

struct ListingColumn {
  Table::Column column;
  bool only_wide = false;
  bool is_watched = true;  // false: what always changes (a duration) makes no new line of a watch
};

struct ListingRow {
  std::string id;    // tells rows apart between two looks
  std::string name;  // `-o name`: what other commands take
  std::vector<std::string> cells;
  nlohmann::ordered_json json;
};

struct Listing {
  std::vector<ListingColumn> columns;
  std::vector<ListingRow> rows;
  nlohmann::ordered_json json;  // the whole answer
  std::string when_empty;       // said instead of a table without rows
  // The one job that was named has ended: nothing will change any more.
  bool is_over = false;
  std::optional<Failure> failure;  // it has FAILED
};

Answer AnswerOf(const Listing& listing);

// What a watch prints: all rows at first, then those that are new or have changed, and those that
// have gone.
class ListingChanges {
 public:
  explicit ListingChanges(const CommandContext& context) : context_(context) {}
  void Print(const Listing& now);

 private:
  void PrintRow(const Listing& listing, const ListingRow& row, bool is_gone);

  const CommandContext& context_;
  std::map<std::string, std::string> seen_;  // by id, what is watched of it
  std::map<std::string, ListingRow> last_;
  std::vector<size_t> widths_;
  bool has_begun_ = false;
};

}  // namespace watershed
