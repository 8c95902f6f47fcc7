// config/check.hpp — what can only be judged with the whole configuration before one's eyes.
#pragma once

#include "config/configuration.hpp"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace handyrep::config {

struct Remark {
    YamlPlace at;
    std::string key;
    std::string text;
    bool is_warning = false;
};

/// Names of keys that could not be read on some server or at all. What follows from them is not judged: "no primary" after a
/// misspelt role would say the same thing twice. "servers": a whole server could not be read.
using UnreadKeys = std::set<std::string, std::less<>>;

/// `servers_at`: where the section servers begins.
[[nodiscard]] std::vector<Remark> check(const Configuration& configuration, YamlPlace servers_at, const UnreadKeys& unread);

}  // namespace handyrep::config