#include "jobmanager/job/restart_strategy.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "runtime/config/units.h"

namespace watershed {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class Options {
 public:
  explicit Options(const v1::RestartStrategy& strategy) : strategy_(strategy) {}

  Status Take(const char* name, milliseconds& out) const {
    const std::string* text = Find(name);
    if (text == nullptr) return Ok();
    const Result<milliseconds> value = ParseDuration(*text);
    if (!value) return Bad(name, *text, "a duration such as 10s");
    out = *value;
    return Ok();
  }
  Status Take(const char* name, int64_t& out) const { return TakeNumber(name, out, "a count"); }
  Status Take(const char* name, double& out) const { return TakeNumber(name, out, "a number"); }

 private:
  template <typename Number>
  Status TakeNumber(const char* name, Number& out, const char* expected) const {
    const std::string* text = Find(name);
    if (text == nullptr) return Ok();
    const char* end = text->data() + text->size();
    const auto [stopped, error] = std::from_chars(text->data(), end, out);
    if (error != std::errc() || stopped != end || out < 0) return Bad(name, *text, expected);
    return Ok();
  }
  const std::string* Find(const char* name) const {
    const auto found = strategy_.options().find(name);
    return found == strategy_.options().end() ? nullptr : &found->second;
  }
  Status Bad(const char* name, const std::string& text, const char* expected) const {
    return UserError("restart-strategy {}: {} is '{}'; expected {}", strategy_.type(), name, text,
                     expected);
  }

  const v1::RestartStrategy& strategy_;
};

Status ReadExponential(const Options& options, RestartSettings& settings) {
  settings.type = RestartSettings::Type::kExponentialDelay;
  WS_RETURN_IF_ERROR(options.Take("initial-backoff", settings.initial_backoff));
  WS_RETURN_IF_ERROR(options.Take("max-backoff", settings.max_backoff));
  WS_RETURN_IF_ERROR(options.Take("backoff-multiplier", settings.backoff_multiplier));
  WS_RETURN_IF_ERROR(options.Take("reset-backoff-threshold", settings.reset_backoff_threshold));
  WS_RETURN_IF_ERROR(options.Take("jitter-factor", settings.jitter_factor));
  WS_RETURN_IF_ERROR(
      options.Take("attempts-before-reset-backoff", settings.attempts_before_reset_backoff));
  settings.backoff_multiplier = std::max(settings.backoff_multiplier, 1.0);
  return Ok();
}

milliseconds RoundedMs(double value) { return milliseconds(std::llround(value)); }

}  // namespace

Result<RestartSettings> RestartSettingsOf(const v1::JobGraph& graph) {
  RestartSettings settings;
  const v1::RestartStrategy& strategy = graph.restart_strategy();
  const Options options(strategy);
  if (strategy.type().empty()) {
    if (graph.checkpointing().interval_ms() > 0) {
      settings.type = RestartSettings::Type::kExponentialDelay;
    }
  } else if (strategy.type() == "fixed-delay") {
    settings.type = RestartSettings::Type::kFixedDelay;
    WS_RETURN_IF_ERROR(options.Take("attempts", settings.attempts));
    WS_RETURN_IF_ERROR(options.Take("delay", settings.delay));
  } else if (strategy.type() == "exponential-delay") {
    WS_RETURN_IF_ERROR(ReadExponential(options, settings));
  } else if (strategy.type() == "failure-rate") {
    settings.type = RestartSettings::Type::kFailureRate;
    WS_RETURN_IF_ERROR(
        options.Take("max-failures-per-interval", settings.max_failures_per_interval));
    WS_RETURN_IF_ERROR(options.Take("failure-rate-interval", settings.failure_rate_interval));
    WS_RETURN_IF_ERROR(options.Take("delay", settings.delay));
  } else if (strategy.type() != "none") {
    return UserError(
        "restart-strategy '{}' is unknown; expected none, fixed-delay, exponential-delay or "
        "failure-rate",
        strategy.type());
  }
  return settings;
}

RestartDecision RestartStrategy::OnFailure(nanoseconds now, double jitter) {
  RestartDecision decision{.restart = true, .delay = settings_.delay, .refusal = ""};
  switch (settings_.type) {
    case RestartSettings::Type::kNone:
      return {};
    case RestartSettings::Type::kFixedDelay:
      if (++failures_ <= settings_.attempts) return decision;
      return {.refusal = fmt::format("restart-strategy fixed-delay: {} restarts were allowed",
                                     settings_.attempts)};
    case RestartSettings::Type::kFailureRate: {
      recent_.push_back(now);
      while (now - recent_.front() > settings_.failure_rate_interval) recent_.pop_front();
      if (static_cast<int64_t>(recent_.size()) <= settings_.max_failures_per_interval) {
        return decision;
      }
      return {.refusal = fmt::format("restart-strategy failure-rate: more than {} failures in {}",
                                     settings_.max_failures_per_interval,
                                     FormatDuration(settings_.failure_rate_interval))};
    }
    case RestartSettings::Type::kExponentialDelay:
      return Exponential(now, jitter);
  }
  return {};
}

RestartDecision RestartStrategy::Exponential(nanoseconds now, double jitter) {
  const auto initial_ms = static_cast<double>(settings_.initial_backoff.count());
  const auto max_ms = static_cast<double>(settings_.max_backoff.count());
  if (restarted_at_.count() >= 0 && now - restarted_at_ >= settings_.reset_backoff_threshold) {
    failures_ = 0;
  }
  ++failures_;
  if (settings_.attempts_before_reset_backoff >= 0 &&
      failures_ > settings_.attempts_before_reset_backoff) {
    return {.refusal = fmt::format("restart-strategy exponential-delay: {} restarts were allowed",
                                   settings_.attempts_before_reset_backoff)};
  }
  backoff_ms_ = failures_ == 1 ? initial_ms : backoff_ms_ * settings_.backoff_multiplier;
  backoff_ms_ = std::min(backoff_ms_, max_ms);
  const double spread = backoff_ms_ * settings_.jitter_factor * jitter;
  const milliseconds delay = RoundedMs(std::clamp(backoff_ms_ + spread, 0.0, max_ms));
  restarted_at_ = now + delay;
  return {.restart = true, .delay = delay, .refusal = ""};
}

}  // namespace watershed
