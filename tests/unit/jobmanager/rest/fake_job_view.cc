#include "fake_job_view.h"

namespace watershed {
namespace {

void AddSubtask(v1::JobDetails& job, const std::string& vertex, int subtask, int64_t records) {
  v1::SubtaskStatus* status = job.add_subtasks();
  status->set_vertex_id(vertex);
  status->set_subtask(subtask);
  status->set_state(v1::TASK_RUNNING);
  status->set_task_manager_id("tm:1-a");
  status->set_start_time_ms(41'000 + subtask);
  v1::TaskCounters* counters = status->mutable_counters();
  counters->set_records_in(records);
  counters->set_records_out(records / 2);
  counters->set_bytes_in(records * 100);
  counters->set_bytes_out(records * 10);
  counters->set_late_records(3);
  counters->set_input_watermark_ms(60'000 + subtask);
  counters->set_busy_ms(700);
  counters->set_idle_ms(200);
  counters->set_backpressured_ms(100);
  counters->set_source_lag_records(subtask == 0 ? 42 : -1);
}

void AddCheckpoints(v1::CheckpointStatistics& checkpoints) {
  checkpoints.set_triggered(3);
  checkpoints.set_completed(1);
  checkpoints.set_failed(1);
  checkpoints.set_in_progress(1);
  checkpoints.set_restored_count(1);
  checkpoints.set_interval_ms(1000);
  checkpoints.set_timeout_ms(600'000);
  checkpoints.set_directory("file:///ck/job");
  v1::CheckpointSummary* running = checkpoints.add_recent();
  running->set_id(7);
  running->set_status(v1::CheckpointSummary::IN_PROGRESS);
  running->set_trigger_time_ms(44'900);
  running->set_end_time_ms(-1);
  running->set_subtasks(3);
  running->set_acknowledged(2);
  v1::CheckpointSummary* failed = checkpoints.add_recent();
  failed->set_id(6);
  failed->set_status(v1::CheckpointSummary::FAILED);
  failed->set_trigger_time_ms(43'000);
  failed->set_end_time_ms(43'500);
  failed->set_failure("out (1/1): disk full");
  *checkpoints.mutable_latest_failed() = *failed;
  v1::CheckpointSummary* completed = checkpoints.add_recent();
  completed->set_id(5);
  completed->set_status(v1::CheckpointSummary::COMPLETED);
  completed->set_trigger_time_ms(42'000);
  completed->set_end_time_ms(42'080);
  completed->set_state_bytes(2000);
  completed->set_written_bytes(300);
  completed->set_path("file:///ck/job/chk-5-2");
  *checkpoints.mutable_latest_completed() = *completed;
  *checkpoints.mutable_latest_not_savepoint() = *completed;
  v1::CheckpointSummary* savepoint = checkpoints.add_recent();
  *savepoint = *completed;
  savepoint->set_id(3);
  savepoint->set_is_savepoint(true);
  savepoint->set_path("file:///ck/job/chk-3-1");
  savepoint->set_savepoint_path("file:///sp/savepoint-0123-3-abc");
  *checkpoints.mutable_latest_savepoint() = *savepoint;
  checkpoints.mutable_restored()->set_id(4);
  checkpoints.mutable_restored()->set_end_time_ms(41'000);
  checkpoints.mutable_restored()->set_path("file:///ck/job/chk-4-1");
}

}  // namespace

v1::JobDetails SampleJob() {
  v1::JobDetails job;
  v1::JobSummary* summary = job.mutable_summary();
  summary->set_job_id(kRunningJob);
  summary->set_name("session");
  summary->set_state(v1::RUNNING);
  summary->set_start_time_ms(40'000);
  summary->set_end_time_ms(-1);
  summary->set_last_modification_ms(45'000);
  summary->set_tasks_total(3);
  summary->set_tasks_running(3);
  summary->set_status_reason("sink 'out': PostgreSQL is away, trying again");
  (*summary->mutable_tasks_by_state())[v1::TASK_RUNNING] = 3;
  job.set_attempt(1);
  job.set_restarts(2);
  AddCheckpoints(*job.mutable_checkpoints());
  (*job.mutable_state_timestamps_ms())[v1::CREATED] = 40'000;
  (*job.mutable_state_timestamps_ms())[v1::RUNNING] = 41'500;
  job.mutable_plan()->set_job_name("session");
  job.mutable_plan()->set_max_parallelism(128);
  v1::Vertex* source = job.mutable_plan()->add_vertices();
  source->set_id("aa");
  source->set_name("Source: events -> Calc");
  source->set_parallelism(2);
  source->add_nodes()->mutable_table_source_scan();
  v1::Vertex* window = job.mutable_plan()->add_vertices();
  window->set_id("bb");
  window->set_name("SessionWindow -> Sink: out");
  window->set_parallelism(1);
  window->add_nodes()->mutable_sink();
  v1::Edge* edge = job.mutable_plan()->add_edges();
  edge->set_source_vertex_id("aa");
  edge->set_target_vertex_id("bb");
  edge->add_key_columns(0);
  AddSubtask(job, "aa", 0, 1000);
  AddSubtask(job, "aa", 1, 500);
  AddSubtask(job, "bb", 0, 600);
  return job;
}

v1::JobDetails SampleFinishedJob() {
  v1::JobDetails job;
  job.mutable_summary()->set_job_id(kFinishedJob);
  job.mutable_summary()->set_name("batch");
  job.mutable_summary()->set_state(v1::FINISHED);
  job.mutable_summary()->set_start_time_ms(10'000);
  job.mutable_summary()->set_end_time_ms(12'000);
  return job;
}

TaskManagerView SampleTaskManager() {
  TaskManagerView worker;
  worker.id = "tm:1-a";
  worker.address = "127.0.0.1:40001";
  worker.slots = 4;
  worker.free_slots = 1;
  worker.cpu_cores = 2;
  worker.pid = 77;
  worker.physical_memory_bytes = 8LL << 30;
  worker.managed_memory_bytes = 256LL << 20;
  worker.process_memory_bytes = 600LL << 20;
  worker.resident_memory_bytes = 300LL << 20;
  worker.memory = {{"state", 256LL << 20, 100LL << 20, 200LL << 20},
                   {"network", 40LL << 20, 10LL << 20, 30LL << 20}};
  worker.last_heartbeat_ms = 99'000;
  worker.allocated = {{.job_id = kRunningJob, .slots = 3, .assigned_tasks = 4}};
  return worker;
}

v1::CheckpointDetails SampleCheckpoint(const v1::CheckpointSummary& summary) {
  v1::CheckpointDetails details;
  *details.mutable_summary() = summary;
  for (const auto& [vertex, subtask, answered_ms] :
       {std::tuple("aa", 1, 60), std::tuple("bb", 0, 80)}) {
    v1::SubtaskCheckpoint* part = details.add_subtasks();
    part->set_vertex_id(vertex);
    part->set_subtask(subtask);
    part->set_answered_time_ms(summary.trigger_time_ms() + answered_ms);
    part->set_state_bytes(1000);
    part->set_written_bytes(100);
    part->set_alignment_us(5'000);
    part->set_sync_us(2'000);
    part->set_async_us(30'000);
  }
  return details;
}

}  // namespace watershed
