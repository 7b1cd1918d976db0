#include "runtime/engine/split_proto.h"

#include "watershed/v1/control.pb.h"

namespace watershed {

v1::Split ToProto(const SourceSplit& split) {
  v1::Split proto;
  proto.set_id(split.id);
  proto.set_topic(split.topic);
  proto.set_partition(split.partition);
  proto.set_start_position(split.start_position);
  if (split.end_position) proto.set_end_position(*split.end_position);
  return proto;
}

SourceSplit FromProto(const v1::Split& proto) {
  SourceSplit split;
  split.id = proto.id();
  split.topic = proto.topic();
  split.partition = proto.partition();
  split.start_position = proto.start_position();
  if (proto.has_end_position()) split.end_position = proto.end_position();
  return split;
}

}  // namespace watershed
