#include "runtime/connectors/postgres/connection_url.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/connectors/option_values.h"

namespace watershed {
namespace {

constexpr std::string_view kExample = "jdbc:postgresql://host:5432/db or postgresql://host:5432/db";

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

Result<std::string> Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const auto high = i + 2 < text.size() ? HexDigit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? HexDigit(text[i + 2]) : std::nullopt;
    if (!high || !low || (*high == 0 && *low == 0)) {
      return UserError(
          "the database URL has a '%' that is not followed by two hex digits; write a "
          "literal one as %25");
    }
    out.push_back(static_cast<char>(*high * 16 + *low));
    i += 2;
  }
  return out;
}

// JDBC's connection parameters that libpq knows under another name; "" = nothing to pass on.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kJdbcParameters = {{
    {"ApplicationName", "application_name"},
    {"connectTimeout", "connect_timeout"},
    {"loginTimeout", "connect_timeout"},
    {"tcpKeepAlive", ""},
    {"socketTimeout", ""},
    {"reWriteBatchedInserts", ""},
    {"prepareThreshold", ""},
    {"stringtype", ""},
    {"defaultRowFetchSize", ""},
    {"autosave", ""},
    {"sslfactory", ""},
    {"targetServerType", ""},
    {"loadBalanceHosts", ""},
    {"binaryTransfer", ""},
}};

Status AddParameter(std::string name, std::string value, PostgresUrl& url) {
  if (name == "user") {
    url.user = std::move(value);
  } else if (name == "password") {
    url.password = std::move(value);
  } else if (name == "ssl") {
    // JDBC's ssl=true without sslmode verifies the server, as sslmode=verify-full does.
    if (value != "false") url.parameters.try_emplace("sslmode", "verify-full");
  } else if (name == "currentSchema") {
    url.parameters["options"] = "-c search_path=" + value;
  } else {
    const auto known = std::find_if(kJdbcParameters.begin(), kJdbcParameters.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    if (known == kJdbcParameters.end()) {
      url.parameters[std::move(name)] = std::move(value);
    } else if (!known->second.empty()) {
      url.parameters[std::string(known->second)] = std::move(value);
    }
  }
  return Ok();
}

Status ParseParameters(std::string_view query, PostgresUrl& url) {
  for (const std::string& pair : SplitList(query, '&')) {
    const size_t equals = pair.find('=');
    WS_ASSIGN_OR_RETURN(std::string name, Unescape(std::string_view(pair).substr(0, equals)));
    std::string value;
    if (equals != std::string::npos) {
      WS_ASSIGN_OR_RETURN(value, Unescape(std::string_view(pair).substr(equals + 1)));
    }
    WS_RETURN_IF_ERROR(AddParameter(std::move(name), std::move(value), url));
  }
  return Ok();
}

// "host:port,host2:port2"; IPv6 addresses stand in brackets.
Status ParseHosts(std::string_view text, PostgresUrl& url) {
  bool any_port = false;
  std::vector<std::string> hosts, ports;
  for (const std::string& entry : SplitList(text, ',')) {
    const size_t bracket = entry.find(']');
    const size_t colon = entry.find(':', bracket == std::string::npos ? 0 : bracket);
    const std::string_view host = std::string_view(entry).substr(0, colon);
    const std::string port = colon == std::string::npos ? "" : entry.substr(colon + 1);
    if (!port.empty()) {
      const auto number = ParseInt64(port);
      if (!number || *number < 1 || *number > 65535) {
        return UserError("'{}' in the database URL is not a port; expected {}", port, kExample);
      }
      any_port = true;
    }
    const bool is_ipv6 = host.starts_with('[') && host.ends_with(']');
    WS_ASSIGN_OR_RETURN(std::string name,
                        Unescape(is_ipv6 ? host.substr(1, host.size() - 2) : host));
    hosts.push_back(std::move(name));
    ports.push_back(port.empty() ? "5432" : port);
  }
  for (size_t i = 0; i < hosts.size(); ++i) {
    if (i > 0) url.host += ',';
    url.host += hosts[i];
    if (any_port) url.port += (i > 0 ? "," : "") + ports[i];
  }
  return Ok();
}

}  // namespace

Result<PostgresUrl> ParsePostgresUrl(std::string_view text) {
  constexpr std::string_view kJdbc = "jdbc:";
  std::string_view rest = Trim(text);
  const bool is_jdbc = rest.starts_with(kJdbc);
  if (is_jdbc) rest.remove_prefix(kJdbc.size());
  if (rest.starts_with("postgresql:")) {
    rest.remove_prefix(11);
  } else if (rest.starts_with("postgres:") && !is_jdbc) {
    rest.remove_prefix(9);
  } else {
    return UserError("the database URL must look like {}", kExample);
  }
  PostgresUrl url;
  const size_t question = rest.find('?');
  const std::string_view query =
      question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  rest = rest.substr(0, question);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const size_t slash = rest.find('/');
    std::string_view authority = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
      const std::string_view login = authority.substr(0, at);
      authority.remove_prefix(at + 1);
      const size_t colon = login.find(':');
      WS_ASSIGN_OR_RETURN(url.user, Unescape(login.substr(0, colon)));
      if (colon != std::string_view::npos) {
        WS_ASSIGN_OR_RETURN(url.password, Unescape(login.substr(colon + 1)));
      }
    }
    WS_RETURN_IF_ERROR(ParseHosts(authority, url));
  } else if (!is_jdbc) {
    return UserError("the database URL must look like {}", kExample);
  }
  if (is_jdbc && url.host.empty()) url.host = "localhost";  // libpq's default is a socket file
  WS_ASSIGN_OR_RETURN(url.database, Unescape(rest));
  WS_RETURN_IF_ERROR(ParseParameters(query, url));
  return url;
}

}  // namespace watershed
