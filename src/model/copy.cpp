#include "model/copy.hpp"

namespace handyrep::model {

std::string_view word_for(Standing standing) {
    switch (standing) {
        case Standing::absent: return "absent";
        case Standing::empty: return "empty";
        case Standing::database: return "database";
        case Standing::unidentified: return "unidentified";
    }
    return "";
}

std::string_view word_for(CopyProgress::State state) {
    switch (state) {
        case CopyProgress::State::none: return "none";
        case CopyProgress::State::running: return "running";
        case CopyProgress::State::whole: return "whole";
        case CopyProgress::State::in_place: return "in_place";
        case CopyProgress::State::failed: return "failed";
        case CopyProgress::State::lost: return "lost";
    }
    return "";
}

}  // namespace handyrep::model
