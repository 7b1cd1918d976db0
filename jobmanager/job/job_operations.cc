#include "jobmanager/job/job_operations.h"

#include <algorithm>

namespace watershed {

v1::Operation* JobOperations::Get(const std::string& id) {
  const auto found = std::ranges::find(operations_, id, &v1::Operation::operation_id);
  return found == operations_.end() ? nullptr : &*found;
}

void JobOperations::Begin(const std::string& id, v1::Operation::Kind kind) {
  v1::Operation& operation = operations_.emplace_back();
  operation.set_operation_id(id);
  operation.set_kind(kind);
  operation.set_status(v1::Operation::OPERATION_IN_PROGRESS);
  if (operations_.size() > kRemembered) operations_.pop_front();
}

Result<bool> JobOperations::HasBegun(const std::string& id, v1::Operation::Kind kind) const {
  const std::optional<v1::Operation> operation = Find(id);
  if (operation && operation->kind() != kind) {
    return UserError("the operation id {} is that of a {} already; choose another", id,
                     v1::Operation::Kind_Name(operation->kind()));
  }
  return operation.has_value();
}

std::optional<v1::Operation> JobOperations::Find(const std::string& id) const {
  const auto found = std::ranges::find(operations_, id, &v1::Operation::operation_id);
  if (found == operations_.end()) return std::nullopt;
  return *found;
}

void JobOperations::Complete(const std::string& id, int64_t checkpoint_id,
                             const std::string& path) {
  v1::Operation* const operation = Get(id);
  if (operation == nullptr) return;
  operation->set_status(v1::Operation::OPERATION_COMPLETED);
  operation->set_checkpoint_id(checkpoint_id);
  operation->set_path(path);
  operation->clear_failure();
}

void JobOperations::Fail(const std::string& id, const std::string& reason) {
  v1::Operation* const operation = Get(id);
  if (operation == nullptr) return;
  operation->set_status(v1::Operation::OPERATION_FAILED);
  operation->set_failure(reason);
}

void JobOperations::FailOpen(const std::string& reason, bool and_stops) {
  for (v1::Operation& operation : operations_) {
    if (operation.status() != v1::Operation::OPERATION_IN_PROGRESS) continue;
    if (operation.kind() == v1::Operation::STOP && !and_stops) continue;
    operation.set_status(v1::Operation::OPERATION_FAILED);
    operation.set_failure(reason);
  }
}

}  // namespace watershed
