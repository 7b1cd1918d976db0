#include "wsctl/listing.h"

#include <ostream>
#include <set>

namespace watershed {
namespace {

Table TableOf(const Listing& listing, bool wide) {
  std::vector<Table::Column> columns;
  for (const ListingColumn& column : listing.columns) {
    if (wide || !column.only_wide) columns.push_back(column.column);
  }
  return Table(std::move(columns));
}

std::vector<std::string> CellsOf(const Listing& listing, const ListingRow& row, bool wide) {
  std::vector<std::string> cells;
  for (size_t i = 0; i < listing.columns.size(); ++i) {
    if (wide || !listing.columns[i].only_wide) cells.push_back(row.cells[i]);
  }
  return cells;
}

std::string Watched(const Listing& listing, const ListingRow& row) {
  std::string text;
  for (size_t i = 0; i < listing.columns.size(); ++i) {
    if (listing.columns[i].is_watched) text += row.cells[i] + '\n';
  }
  return text;
}

}  // namespace

Answer AnswerOf(const Listing& listing) {
  Answer answer{.json = listing.json};
  for (const ListingRow& row : listing.rows) answer.names.push_back(row.name);
  answer.text = [listing](std::ostream& out, bool wide) {
    if (listing.rows.empty()) {
      out << listing.when_empty << '\n';
      return;
    }
    Table table = TableOf(listing, wide);
    for (const ListingRow& row : listing.rows) table.AddRow(CellsOf(listing, row, wide));
    table.Print(out);
  };
  return answer;
}

void ListingChanges::Print(const Listing& now) {
  const bool wide = context_.options.output == OutputFormat::kWide;
  if (!has_begun_ && !IsForPrograms(context_.options.output)) {
    // So wide that the first rows are aligned; a later, wider one shifts only those after it.
    Table table = TableOf(now, wide);
    for (const ListingRow& row : now.rows) table.AddRow(CellsOf(now, row, wide));
    std::ostream nowhere(nullptr);
    table.Continue(nowhere, widths_);
    Table header = TableOf(now, wide);
    std::vector<std::string> titles;
    titles.reserve(now.columns.size());
    for (const ListingColumn& column : now.columns) titles.push_back(column.column.title);
    header.AddRow(CellsOf(now, {.cells = std::move(titles)}, wide));
    header.Continue(*context_.console.out, widths_);
  }
  has_begun_ = true;
  std::set<std::string> there;
  for (const ListingRow& row : now.rows) {
    there.insert(row.id);
    std::string watched = Watched(now, row);
    if (const auto seen = seen_.find(row.id); seen == seen_.end() || seen->second != watched) {
      PrintRow(now, row, /*is_gone=*/false);
      seen_[row.id] = std::move(watched);
    }
    last_[row.id] = row;
  }
  for (auto gone = last_.begin(); gone != last_.end();) {
    if (there.contains(gone->first)) {
      ++gone;
      continue;
    }
    PrintRow(now, gone->second, /*is_gone=*/true);
    seen_.erase(gone->first);
    gone = last_.erase(gone);
  }
  context_.console.out->flush();
}

void ListingChanges::PrintRow(const Listing& listing, const ListingRow& row, bool is_gone) {
  std::ostream& out = *context_.console.out;
  nlohmann::ordered_json json = row.json;
  if (is_gone) json["gone"] = true;
  switch (context_.options.output) {
    case OutputFormat::kJson:
      out << json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
      return;
    case OutputFormat::kYaml:
      out << "---\n" << ToYaml(json);
      return;
    case OutputFormat::kName:
      out << row.name << '\n';
      return;
    case OutputFormat::kTable:
    case OutputFormat::kWide: {
      const bool wide = context_.options.output == OutputFormat::kWide;
      Table table = TableOf(listing, wide);
      std::vector<std::string> cells = CellsOf(listing, row, wide);
      if (is_gone) cells.back() += cells.back().empty() ? "(gone)" : " (gone)";
      table.AddRow(std::move(cells));
      table.Continue(out, widths_);
    }
  }
}

}  // namespace watershed
