// Loaded into one process before the C library (LD_PRELOAD), so that files fail or are slow, or the
// wall clock is off, in this process alone. A file that interposed_calls.py maps as well says what
// is to be.
//
// A wait until a time of the wall clock ends when that clock says so, also if it is set meanwhile:
// as the kernel has it. libfaketime does not know the ways in which librdkafka (cnd_timedwait) and
// Abseil (futex) wait, whose times it would shift all the same.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kLookAgainNs = 50'000'000;  // at the clock, which may have been set

enum CallKind : int32_t { kWrites = 1, kReads = 2 };

// As interposed_calls.py writes it. `kinds` is written last.
struct Control {
  std::atomic<int64_t> clock_shift_ns;
  std::atomic<int64_t> hits;   // of calls that failed or were slow
  std::atomic<int32_t> kinds;  // of calls that are hit
  std::atomic<int32_t> error;  // 0: they do not fail
  std::atomic<int32_t> delay_ms;
  char prefix[500];  // of the paths of their files
};

Control* Open() {
  static Control none{};
  const char* path = std::getenv("WATERSHED_INTERPOSED_CALLS");
  if (path == nullptr) return &none;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) std::abort();
  void* mapped = mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) std::abort();
  close(fd);
  return static_cast<Control*>(mapped);
}

std::atomic<Control*> control{nullptr};

__attribute__((constructor)) void Begin() { control = Open(); }

int64_t Shift() {
  const Control* told = control;
  return told == nullptr ? 0 : told->clock_shift_ns.load(std::memory_order_relaxed);
}

// The C library's function. Without a guard: whatever this calls may come back here.
void* Next(std::atomic<void*>& found, const char* name, const char* version = "") {
  if (void* known = found.load(std::memory_order_relaxed)) return known;
  void* symbol = *version != '\0' ? dlvsym(RTLD_NEXT, name, version) : nullptr;
  found = symbol != nullptr ? symbol : dlsym(RTLD_NEXT, name);
  return found;
}

#define NEXT(name, ...)                                   \
  reinterpret_cast<decltype(&name)>([] {                  \
    static std::atomic<void*> found{nullptr};             \
    return Next(found, #name __VA_OPT__(, ) __VA_ARGS__); \
  }())

int64_t Ns(const timespec& time) { return time.tv_sec * kNsPerSecond + time.tv_nsec; }

timespec Time(int64_t ns) { return {.tv_sec = ns / kNsPerSecond, .tv_nsec = ns % kNsPerSecond}; }

int64_t RealNowNs() {
  timespec now;
  NEXT(clock_gettime)(CLOCK_REALTIME, &now);
  return Ns(now);
}

// `wait` until a time of the kernel's clock: what it returns, and whether it is that time.
template <typename Wait>
int WaitUntil(const timespec& deadline, int timed_out, Wait wait) {
  while (true) {
    const int64_t end = Ns(deadline) - Shift();  // by the kernel's clock, as far as is known now
    const timespec until = Time(std::min(end, RealNowNs() + kLookAgainNs));
    const int result = wait(&until);
    if (result != timed_out || RealNowNs() + Shift() >= Ns(deadline)) return result;
  }
}

// Whether a call of this file and kind is to fail: errno, else 0. Waits if it is to be slow.
int Hit(int fd, CallKind kind) {
  Control* told = control;
  if (told == nullptr || (told->kinds & kind) == 0) return 0;
  char link[40], path[600];
  std::strcpy(link, "/proc/self/fd/");
  int digits = 1;
  for (int rest = fd; rest >= 10; rest /= 10) ++digits;
  char* end = link + std::strlen(link) + digits;
  *end = '\0';
  for (int rest = fd; digits > 0; --digits, rest /= 10) *--end = static_cast<char>('0' + rest % 10);
  const ssize_t size = readlink(link, path, sizeof path);
  const size_t prefix = strnlen(told->prefix, sizeof told->prefix);
  if (size < static_cast<ssize_t>(prefix) || std::memcmp(path, told->prefix, prefix) != 0) return 0;
  ++told->hits;
  const timespec delay = Time(told->delay_ms * 1'000'000LL);
  if (told->delay_ms > 0) nanosleep(&delay, nullptr);
  return told->error;
}

bool Fails(int fd, CallKind kind) {
  const int before = errno;
  const int error = Hit(fd, kind);
  errno = error != 0 ? error : before;
  return error != 0;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int result = NEXT(clock_gettime)(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    *time = Time(Ns(*time) + Shift());
  return result;
}

int gettimeofday(timeval* __restrict time, void* __restrict zone) noexcept {
  const int result = NEXT(gettimeofday)(time, zone);
  if (result == 0) time->tv_sec += Shift() / kNsPerSecond;
  return result;
}

time_t time(time_t* seconds) noexcept {
  const time_t now = NEXT(time)(nullptr) + Shift() / kNsPerSecond;
  if (seconds != nullptr) *seconds = now;
  return now;
}

int timespec_get(timespec* time, int base) noexcept {
  const int result = NEXT(timespec_get)(time, base);
  if (result == TIME_UTC) *time = Time(Ns(*time) + Shift());
  return result;
}

// Conditions of the steady clock are waited for by pthread_cond_clockwait here.
int pthread_cond_timedwait(pthread_cond_t* __restrict condition, pthread_mutex_t* __restrict mutex,
                           const timespec* __restrict deadline) {
  auto* next = NEXT(pthread_cond_timedwait, "GLIBC_2.3.2");  // not the one for programs before that
  return WaitUntil(*deadline, ETIMEDOUT,
                   [&](const timespec* until) { return next(condition, mutex, until); });
}

int pthread_cond_clockwait(pthread_cond_t* __restrict condition, pthread_mutex_t* __restrict mutex,
                           clockid_t clock, const timespec* __restrict deadline) {
  auto* next = NEXT(pthread_cond_clockwait);
  if (clock != CLOCK_REALTIME) return next(condition, mutex, clock, deadline);
  return WaitUntil(*deadline, ETIMEDOUT,
                   [&](const timespec* until) { return next(condition, mutex, clock, until); });
}

int cnd_timedwait(cnd_t* __restrict condition, mtx_t* __restrict mutex,
                  const timespec* __restrict deadline) {
  auto* next = NEXT(cnd_timedwait);
  return WaitUntil(*deadline, thrd_timedout,
                   [&](const timespec* until) { return next(condition, mutex, until); });
}

long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& each : a) each = va_arg(list, long);
  va_end(list);
  auto* next = NEXT(syscall);
  const bool waits = number == SYS_futex && (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET &&
                     (a[1] & FUTEX_CLOCK_REALTIME) != 0 && a[3] != 0;
  if (!waits) return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  const auto* deadline = reinterpret_cast<const timespec*>(a[3]);
  long result = 0;
  WaitUntil(*deadline, ETIMEDOUT, [&](const timespec* until) {
    result = next(number, a[0], a[1], a[2], reinterpret_cast<long>(until), a[4], a[5]);
    return result < 0 ? errno : 0;
  });
  return result;
}

ssize_t write(int fd, const void* bytes, size_t size) {
  return Fails(fd, kWrites) ? -1 : NEXT(write)(fd, bytes, size);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  return Fails(fd, kWrites) ? -1 : NEXT(pwrite)(fd, bytes, size, offset);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t offset) {
  return Fails(fd, kWrites) ? -1 : NEXT(pwrite64)(fd, bytes, size, offset);
}

int fsync(int fd) { return Fails(fd, kWrites) ? -1 : NEXT(fsync)(fd); }

int fdatasync(int fd) { return Fails(fd, kWrites) ? -1 : NEXT(fdatasync)(fd); }

ssize_t read(int fd, void* bytes, size_t size) {
  return Fails(fd, kReads) ? -1 : NEXT(read)(fd, bytes, size);
}

ssize_t pread(int fd, void* bytes, size_t size, off_t offset) {
  return Fails(fd, kReads) ? -1 : NEXT(pread)(fd, bytes, size, offset);
}

ssize_t pread64(int fd, void* bytes, size_t size, off64_t offset) {
  return Fails(fd, kReads) ? -1 : NEXT(pread64)(fd, bytes, size, offset);
}

}  // extern "C"
