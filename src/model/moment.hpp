// model/moment.hpp — everything that an analysis and a decision are made of, at one time.
//
// A pure function over a moment answers the same wherever it is asked: in the daemon, in the simulator, on a recording.
#pragma once

#include "base/time.hpp"
#include "model/evidence.hpp"
#include "model/guards.hpp"
#include "model/saved_state.hpp"
#include "model/server.hpp"

namespace handyrep::model {

struct Moment {
    WallTime at;     // for people
    WallTime since;  // when the situation of this moment began
    Instant now;     // what the ages of the evidence count from
    FailoverSettings settings;
    SavedState saved;
    Evidence evidence;
    Guards guards;
};

}  // namespace handyrep::model
