// A vector of plain values that grows without initialising what it adds: columns are filled value
// by value on the hot path, and zeroing memory that is overwritten at once costs as much as filling
// it. The allocation always reaches kSlackBytes past the capacity, so that copies may overshoot.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace watershed {

template <typename T>
class RawVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr size_t kSlackBytes = 32;
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  RawVector() = default;
  RawVector(const RawVector& other) { append(other.data_, other.size_); }
  RawVector(RawVector&& other) noexcept { swap(other); }
  RawVector& operator=(RawVector other) noexcept {
    swap(other);
    return *this;
  }
  ~RawVector() { std::free(data_); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }

  void clear() { size_ = 0; }
  void reserve(size_t capacity) {
    if (capacity > capacity_) Reallocate(capacity);
  }
  // What is added has no defined value until it is written.
  void resize(size_t size) {
    if (size > capacity_) Grow(size - size_);
    size_ = size;
  }
  void push_back(T value) {
    if (size_ == capacity_) Grow(1);
    data_[size_++] = value;
  }
  // `values` must not point into this vector.
  void append(const T* values, size_t count) {
    if (count == 0) return;
    if (count > capacity_ - size_) Grow(count);
    std::memcpy(data_ + size_, values, count * sizeof(T));
    size_ += count;
  }
  void swap(RawVector& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  [[gnu::noinline]] void Grow(size_t count) {
    const size_t needed = size_ + count;
    Reallocate(needed > 2 * capacity_ ? (needed < 16 ? 16 : needed) : 2 * capacity_);
  }
  void Reallocate(size_t capacity) {
    if (capacity > (size_t{1} << 60) / sizeof(T)) throw std::length_error("RawVector: too large");
    void* data = std::realloc(data_, capacity * sizeof(T) + kSlackBytes);
    if (data == nullptr) throw std::bad_alloc();
    data_ = static_cast<T*>(data);
    capacity_ = capacity;
  }

  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace watershed
