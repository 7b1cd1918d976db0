// ASSERT_TRUE for a Status or a Result, showing the error.
#pragma once

#include <gtest/gtest.h>

#define ASSERT_OK(expression)                            \
  do {                                                   \
    const auto ok_status = (expression);                 \
    ASSERT_TRUE(ok_status) << ok_status.error().message; \
  } while (false)
