#include "model/saved_state.hpp"

#include <algorithm>

namespace handyrep::model {

const MustBeDown* SavedState::barred(const ServerName& server) const {
    const auto found = std::ranges::find(must_be_down, server, &MustBeDown::server);
    return found == must_be_down.end() ? nullptr : &*found;
}

}  // namespace handyrep::model
