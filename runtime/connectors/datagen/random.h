// Random numbers that depend on a row's number only, so that a row is the same whoever makes it.
#pragma once

#include <cstdint>

namespace watershed {

// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
inline uint64_t MixBits(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// The numbers of one row.
class RowRandom {
 public:
  RowRandom(uint64_t seed, uint64_t row) : state_(MixBits(seed) ^ (row * 0xd1342543de82ef95)) {}

  uint64_t Next() { return MixBits(state_++); }
  // Uniform in [0, 1).
  double NextDouble() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  // Uniform in [0, bound), bound > 0; biased by less than bound / 2^64.
  uint64_t NextBelow(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<__uint128_t>(Next()) * bound) >> 64);
  }

 private:
  uint64_t state_;
};

// Zipf-distributed ranks: rank k of n has weight 1 / (k + 1)^exponent. Rejection-inversion (Hörmann
// and Derflinger: Rejection-inversion to generate variates from monotone discrete distributions,
// 1996), so no table of n entries is needed. exponent 0 is the uniform distribution.
class ZipfDistribution {
 public:
  ZipfDistribution(int64_t n, double exponent);
  // In [0, n).
  int64_t Sample(RowRandom& random) const;

 private:
  double Integral(double x) const;
  double InverseIntegral(double y) const;
  double Weight(double x) const;

  int64_t n_;
  double exponent_;
  double integral_at_1_5_ = 0;
  double integral_at_n_ = 0;
  double threshold_ = 0;
};

}  // namespace watershed
