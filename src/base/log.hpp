// base/log.hpp — a log line is a fixed name and fields; people read it, machines read it, nobody parses a sentence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace handyrep {

enum class Level { debug, info, warning, error };

struct Field {
    std::string name;
    std::string value;
};

class Log {
public:
    Log() = default;
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    virtual ~Log() = default;
    /// `event` is a fixed word ("promoted", "session_lost"); one line per change of state. Must not block and must not throw.
    virtual void write(Level level, std::string_view event, const std::vector<Field>& fields) = 0;
};

}  // namespace handyrep
