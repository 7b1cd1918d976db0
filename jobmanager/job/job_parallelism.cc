// In how many slots a JobMaster runs. (DECISIONS.md, "Fewer slots than asked for".)
#include <algorithm>

#include "jobmanager/job/job_master.h"

namespace watershed {

bool JobMaster::IsSmaller() const { return SlotsNeeded(*plan_) < SlotsNeeded(*wanted_plan_); }

// What was stored and read for another plan is not of use for this one.
void JobMaster::RunIn(int32_t slots) {
  if (slots == SlotsNeeded(*plan_)) return;
  plan_ = std::make_shared<const v1::PhysicalPlan>(FitTo(slots, *wanted_plan_));
  shown_plan_ = FitTo(slots, wanted_shown_plan_);
  if (attempt_progress_ == StepProgress::kDone) attempt_progress_ = StepProgress::kNotBegun;
  if (restore_progress_ == StepProgress::kDone) restore_progress_ = StepProgress::kNotBegun;
  restore_.reset();
  subtasks_.clear();
  first_subtask_.clear();
  CreateSubtasks();
}

int32_t JobMaster::NoteFree(const std::vector<FreeSlots>& cluster, std::chrono::nanoseconds now) {
  const int32_t free = CountFree(cluster);
  if (free == 0) some_since_.reset();
  if (free > 0 && !some_since_) some_since_ = now;
  return free;
}

int32_t JobMaster::SlotsToTake(const std::vector<FreeSlots>& cluster) {
  const std::chrono::nanoseconds now = services_.clock->Steady();
  const int32_t free = NoteFree(cluster, now);
  if (!waits_since_) waits_since_ = now;
  const StartDecision decision = DecideStart(adaptive_, {.wanted = SlotsNeeded(*wanted_plan_),
                                                         .free = free,
                                                         .now = now,
                                                         .waits_since = *waits_since_,
                                                         .some_since = some_since_.value_or(now),
                                                         .has_waited = has_waited_});
  if (decision.look_again_at) LookAgainAt(*decision.look_again_at);
  if (decision.slots > 0) {
    waits_since_.reset();
    some_since_.reset();
    has_waited_ = false;
  }
  return decision.slots;
}

bool JobMaster::MayGrow() const {
  return adaptive_.enabled && state() == v1::RUNNING && IsSmaller() && failure_.empty() &&
         TakesCheckpoints() && !IsToStop();
}

void JobMaster::ConsiderGrowth() {
  if (!MayGrow() || move_) return;
  const std::chrono::nanoseconds now = services_.clock->Steady();
  const int32_t free = NoteFree(services_.cluster->free_slots(), now);
  const int32_t held = SlotsNeeded(*plan_), wanted = SlotsNeeded(*wanted_plan_);
  const GrowthDecision decision =
      DecideGrowth(adaptive_, {.wanted = wanted,
                               .held = held,
                               .free = free,
                               .now = now,
                               .runs_since = runs_since_,
                               .more_since = some_since_.value_or(now)});
  if (decision.look_again_at) LookAgainAt(*decision.look_again_at);
  if (!decision.grow) return;
  RequestMove(fmt::format("it runs in {} of {} slots and {} more can be had", held, wanted,
                          std::min(free, wanted - held)),
              /*grows=*/true);
}

void JobMaster::LookAgainAt(std::chrono::nanoseconds time) {
  if (slots_timer_ != 0) services_.executor->CancelTimer(slots_timer_);
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(time - services_.clock->Steady());
  slots_timer_ = services_.executor->PostAfter(wait, [weak = weak_from_this()] {
    if (const std::shared_ptr<JobMaster> job = weak.lock()) job->Advance();
  });
}

}  // namespace watershed
