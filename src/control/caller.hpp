// control/caller.hpp — who asks. Whoever authenticates (api/authentication) makes one; the service judges by it and nothing else.
#pragma once

#include <string>
#include <string_view>

namespace handyrep::control {

enum class Access {
    read,   // every question
    admin,  // and every order
};
[[nodiscard]] std::string_view word_for(Access access);

struct Caller {
    std::string name;
    Access access = Access::read;
    std::string from;  // the address, for the record

    /// "ann from 10.0.0.7": as events and operations name a person.
    [[nodiscard]] std::string text() const { return from.empty() ? name : name + " from " + from; }
};

}  // namespace handyrep::control
