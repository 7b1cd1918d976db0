#include "jobmanager/job/job_id.h"

#include <fmt/format.h>

#include <random>

namespace watershed {

JobId RandomJobId() {
  std::random_device device;
  std::string hex;
  for (int i = 0; i < 4; ++i) hex += fmt::format("{:08x}", device());
  return JobId{hex};
}

}  // namespace watershed
