// Where a value of the job file stands, and values that remember it.
#pragma once

#include <string>

namespace watershed {

// 1-based.
struct Mark {
  int line = 1;
  int column = 1;
};

template <typename T>
struct Marked {
  T value{};
  Mark mark;
};

// A scalar of the file with its ${…} filled in; the mark is that of the scalar.
struct MarkedText {
  std::string value;
  Mark mark;
  bool from_file = false;  // holds the content of a ${file:…}: never shown
};

}  // namespace watershed
