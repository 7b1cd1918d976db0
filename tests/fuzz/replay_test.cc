// Every input in corpus/ once: those that found something stay found.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/fuzz/targets.h"

namespace watershed::fuzz {
namespace {

class Replay : public testing::TestWithParam<Target> {};

TEST_P(Replay, EveryInputOfTheCorpus) {
  const std::filesystem::path folder = std::filesystem::path(FUZZ_CORPUS) / GetParam().name;
  int inputs = 0;
  for (const auto& each : std::filesystem::directory_iterator(folder)) {
    std::ostringstream bytes;
    bytes << std::ifstream(each.path(), std::ios::binary).rdbuf();
    SCOPED_TRACE(each.path());
    std::fprintf(stderr, "%s\n", each.path().c_str());  // the last one, when it ends the process
    GetParam().run(bytes.str());
    ++inputs;
  }
  EXPECT_GT(inputs, 4) << folder;
}

INSTANTIATE_TEST_SUITE_P(All, Replay, testing::ValuesIn(kTargets),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace watershed::fuzz
