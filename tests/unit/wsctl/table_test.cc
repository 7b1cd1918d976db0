#include "wsctl/table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "wsctl/listings.h"

namespace watershed {
namespace {

TEST(TableTest, AlignsByCodePointsAndLeavesNoTrailingBlanks) {
  Table table({{"NAME"}, {"N", Align::kRight}, {"NOTE"}});
  table.AddRow({"å", "1", ""});
  table.AddRow({"longer", "1,000", "x"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(),
            "NAME        N  NOTE\n"
            "å           1\n"
            "longer  1,000  x\n");
}

TEST(TableTest, ControlCharactersDoNotReachTheTerminal) {
  EXPECT_EQ(Printable("a\nb\tc\x1b[2J\x7f"), "a b c\\x1b[2J\\x7f");
  EXPECT_EQ(Printable("grün"), "grün");
}

TEST(TableTest, GroupsDigits) {
  EXPECT_EQ(GroupDigits(0), "0");
  EXPECT_EQ(GroupDigits(999), "999");
  EXPECT_EQ(GroupDigits(1000), "1,000");
  EXPECT_EQ(GroupDigits(-1234567), "-1,234,567");
}

TEST(TableTest, DurationsForPeople) {
  EXPECT_EQ(HumanDuration(-1), "–");
  EXPECT_EQ(HumanDuration(0), "0 ms");
  EXPECT_EQ(HumanDuration(999), "999 ms");
  EXPECT_EQ(HumanDuration(1000), "1.0 s");
  EXPECT_EQ(HumanDuration(2500), "2.5 s");
  EXPECT_EQ(HumanDuration(65'000), "1 min 5 s");
  EXPECT_EQ(HumanDuration(3'600'000), "1 h 0 min");
  EXPECT_EQ(HumanDuration(90'000'000), "1 d 1 h");
}

TEST(TableTest, BytesForPeople) {
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1381), "1.3 KiB");
  EXPECT_EQ(HumanBytes(int64_t{3} << 29), "1.5 GiB");
}

}  // namespace
}  // namespace watershed
