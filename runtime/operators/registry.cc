#include "runtime/operators/registry.h"

#include <utility>
#include <vector>

#include "runtime/operators/calc.h"
#include "runtime/operators/local_window_aggregate.h"
#include "runtime/operators/window_aggregate.h"
#include "runtime/operators/window_spec.h"
#include "runtime/types/schema_proto.h"
#include "watershed/v1/physical_plan.pb.h"

namespace watershed {
namespace {

using Made = Result<std::unique_ptr<Operator>>;

Made MakeWindow(const v1::WindowAggregate& aggregate, WindowInput kind, const Schema& input,
                SchemaPtr output) {
  WS_ASSIGN_OR_RETURN(WindowSpec spec, MakeWindowSpec(aggregate, kind, input, std::move(output)));
  return MakeWindowAggregate(std::move(spec), kind);
}

Made MakeLocal(const v1::WindowAggregate& aggregate, const Schema& input) {
  WS_ASSIGN_OR_RETURN(WindowSpec spec, MakeLocalWindowSpec(aggregate, input));
  return MakeLocalWindowAggregate(std::move(spec));
}

Made MakeOfKind(const v1::PlanNode& node, const Schema& input, SchemaPtr output) {
  switch (node.kind_case()) {
    case v1::PlanNode::kCalc:
      return MakeCalc({node.calc().columns().begin(), node.calc().columns().end()}, input,
                      std::move(output));
    case v1::PlanNode::kLocalWindowAggregate:
      return MakeLocal(node.local_window_aggregate().aggregate(), input);
    case v1::PlanNode::kGlobalWindowAggregate:
      return MakeWindow(node.global_window_aggregate().aggregate(), WindowInput::kPartials, input,
                        std::move(output));
    case v1::PlanNode::kWindowAggregate:
      return MakeWindow(node.window_aggregate().aggregate(), WindowInput::kRows, input,
                        std::move(output));
    default:
      return InternalError("its kind is no operator's");
  }
}

}  // namespace

Result<std::unique_ptr<Operator>> MakeOperator(const v1::PlanNode& node) {
  const auto where = [&] { return fmt::format("operator '{}' ({})", node.id(), node.name()); };
  Result<SchemaPtr> input = SchemaFromProto(node.input_schema());
  if (!input) return tl::make_unexpected(std::move(input).error().Within(where()));
  Result<SchemaPtr> output = SchemaFromProto(node.output_schema());
  if (!output) return tl::make_unexpected(std::move(output).error().Within(where()));
  Made made = MakeOfKind(node, **input, std::move(*output));
  if (!made) return tl::make_unexpected(std::move(made).error().Within(where()));
  return made;
}

}  // namespace watershed
