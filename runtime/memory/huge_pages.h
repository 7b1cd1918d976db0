// Memory that is read at random or filled at once: in huge pages, if there is much of it.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace watershed {

inline constexpr size_t kHugePageBytes = size_t{2} << 20;

// Addresses without memory (mprotect gives it), in whole huge pages from the begin of one on: older
// kernels would begin anywhere, and then no part is a huge page. Null if there are none. `bytes`:
// a multiple of kHugePageBytes.
char* ReserveHugePages(size_t bytes);

// An array of zeroes that cannot grow. From kHugePageBytes on it has pages of its own, which go
// back to the system at its end, and may be huge ones (Linux: transparent huge pages): a look-up
// misses the cache but not the TLB besides, and new pages cost a five-hundredth of the faults. A
// smaller array comes from the heap, so that nothing small takes a huge page.
template <typename T>
class ZeroedArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  explicit ZeroedArray(size_t size);
  ~ZeroedArray();
  ZeroedArray(ZeroedArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  ZeroedArray& operator=(ZeroedArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  size_t size() const { return size_; }
  size_t byte_size() const { return size_ * sizeof(T); }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  T* data_;
  size_t size_;
};

// Throws std::bad_alloc.
void* AllocateZeroed(size_t bytes);
void FreeZeroed(void* data, size_t bytes);

template <typename T>
ZeroedArray<T>::ZeroedArray(size_t size)
    : data_(static_cast<T*>(AllocateZeroed(size * sizeof(T)))), size_(size) {}

template <typename T>
ZeroedArray<T>::~ZeroedArray() {
  FreeZeroed(data_, byte_size());
}

}  // namespace watershed
