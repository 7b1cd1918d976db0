#include "runtime/connectors/datagen/random.h"

#include <algorithm>
#include <cmath>

namespace watershed {
namespace {

// log1p(x) / x and expm1(x) / x, continuous at 0: the integral below is the logarithm at
// exponent 1.
double LogRatio(double x) { return std::abs(x) > 1e-8 ? std::log1p(x) / x : 1 - x / 2; }
double ExpRatio(double x) { return std::abs(x) > 1e-8 ? std::expm1(x) / x : 1 + x / 2; }

}  // namespace

ZipfDistribution::ZipfDistribution(int64_t n, double exponent) : n_(n), exponent_(exponent) {
  if (exponent_ == 0) return;
  integral_at_1_5_ = Integral(1.5) - 1;
  integral_at_n_ = Integral(static_cast<double>(n) + 0.5);
  threshold_ = 2 - InverseIntegral(Integral(2.5) - Weight(2));
}

// Of the weight x^-exponent, from 1 to x.
double ZipfDistribution::Integral(double x) const {
  const double log_x = std::log(x);
  return ExpRatio((1 - exponent_) * log_x) * log_x;
}

double ZipfDistribution::InverseIntegral(double y) const {
  const double t = std::max(-1.0, y * (1 - exponent_));
  return std::exp(LogRatio(t) * y);
}

double ZipfDistribution::Weight(double x) const { return std::exp(-exponent_ * std::log(x)); }

int64_t ZipfDistribution::Sample(RowRandom& random) const {
  if (exponent_ == 0) return static_cast<int64_t>(random.NextBelow(static_cast<uint64_t>(n_)));
  while (true) {
    const double u = integral_at_n_ + random.NextDouble() * (integral_at_1_5_ - integral_at_n_);
    const double x = InverseIntegral(u);
    const double k = std::clamp(std::floor(x + 0.5), 1.0, static_cast<double>(n_));
    if (k - x <= threshold_ || u >= Integral(k + 0.5) - Weight(k)) {
      return static_cast<int64_t>(k) - 1;
    }
  }
}

}  // namespace watershed
