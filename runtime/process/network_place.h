// Where a process's ports are.
#pragma once

#include <string>

namespace watershed {

// The same for processes that share ports: this boot of this machine, this network namespace. Empty
// when the system does not tell. Two machines with the same name, or two containers on one machine,
// are different places.
std::string NetworkPlace();

// Whether nobody listens at host:port, which is of this place. False also when that is not known.
bool IsRefused(const std::string& address);

}  // namespace watershed
