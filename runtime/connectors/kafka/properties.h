// The `properties.*` of a Kafka source or sink: librdkafka's names, passed on as they are, except
// for those the engine owns and those that only Kafka's Java client knows.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/connectors/connector.h"

namespace watershed {

// Names without the prefix. Properties with an empty value are left out, so that a job file can say
// `properties.sasl.password: ${SECRET:}` and run without it.
std::map<std::string, std::string> KafkaProperties(const OptionMap& options);

// Properties that are refused by name, each with what to write instead.
std::vector<OptionProblem> CheckKafkaProperties(const OptionMap& options);

// Options whose values are secrets ("properties.sasl.password").
const std::vector<std::string_view>& SecretKafkaOptions();

}  // namespace watershed
