// Job files with one mistake each: a correct one, in which a piece is replaced, and every message
// that must come of it.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace watershed::testing {

struct BadJob {
  const char* name;
  const char* piece;  // of the correct file, first occurrence; nullptr: the whole file
  const char* replacement;
  const char* messages;  // all of them, a line each
};

inline void PrintTo(const BadJob& bad, std::ostream* out) { *out << bad.name; }

// The messages of compiling the correct file with the replacement made. Variables: TOPIC=web, EMPTY
// is empty; /run/secrets/x is a file that holds a secret.
std::string MessagesOf(const BadJob& bad);

class BadJobTest : public ::testing::TestWithParam<BadJob> {};

inline std::string NameOfBadJob(const ::testing::TestParamInfo<BadJob>& info) {
  return info.param.name;
}

}  // namespace watershed::testing
