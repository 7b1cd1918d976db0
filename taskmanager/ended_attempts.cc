#include "taskmanager/ended_attempts.h"

namespace watershed {

EndedAttempts::OfJob& EndedAttempts::Of(const JobId& job) {
  const auto [entry, is_new] = jobs_.try_emplace(job);
  if (!is_new) return entry->second;
  order_.push_back(job);
  while (order_.size() > kJobsKept) {
    jobs_.erase(order_.front());
    order_.pop_front();
  }
  return jobs_[job];
}

void EndedAttempts::End(const JobId& job, Attempt attempt) {
  OfJob& of_job = Of(job);
  if (attempt < of_job.oldest) return;
  of_job.ended.insert(attempt);
  while (of_job.ended.size() > kAttemptsKept) of_job.ended.erase(of_job.ended.begin());
}

void EndedAttempts::EndBelow(const JobId& job, Attempt oldest) {
  OfJob& of_job = Of(job);
  if (oldest <= of_job.oldest) return;
  of_job.oldest = oldest;
  of_job.ended.erase(of_job.ended.begin(), of_job.ended.lower_bound(oldest));
}

bool EndedAttempts::Contains(const JobId& job, Attempt attempt) const {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return false;
  return attempt < found->second.oldest || found->second.ended.contains(attempt);
}

}  // namespace watershed
