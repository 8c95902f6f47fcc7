#include "model/sighting.hpp"

namespace handyrep::model {

std::string_view word_for(LastWords words) {
    switch (words) {
        case LastWords::none: return "closed without a word";
        case LastWords::postmaster_died: return "its postmaster died";
        case LastWords::administrator: return "ended by an administrator";
        case LastWords::immediate_stop: return "stopped at once by an administrator";
        case LastWords::backend_crash: return "another backend crashed";
        case LastWords::other: return "ended with an error";
    }
    return "";
}

std::string_view word_for(DialOutcome outcome) {
    switch (outcome) {
        case DialOutcome::accepted: return "accepted";
        case DialOutcome::refused: return "connection refused";
        case DialOutcome::unreachable: return "unreachable";
        case DialOutcome::connect_timeout: return "no answer to connect";
        case DialOutcome::startup_timeout: return "accepted, then mute";
        case DialOutcome::reset: return "accepted, then cut";
        case DialOutcome::shutting_down: return "shutting down";
        case DialOutcome::starting_up: return "starting up";
        case DialOutcome::in_recovery: return "in recovery";
        case DialOutcome::not_yet_accepting: return "not yet accepting connections";
        case DialOutcome::too_many_connections: return "too many connections";
        case DialOutcome::authentication_failed: return "authentication failed";
        case DialOutcome::tls_failed: return "TLS failed";
        case DialOutcome::name_not_resolved: return "host name not resolved";
        case DialOutcome::other_refusal: return "refused with an error";
    }
    return "";
}

bool is_silence(DialOutcome outcome) {
    return outcome == DialOutcome::unreachable || outcome == DialOutcome::connect_timeout || outcome == DialOutcome::startup_timeout ||
           outcome == DialOutcome::reset;
}

bool is_dead(DialOutcome outcome) { return outcome == DialOutcome::refused || is_silence(outcome); }

bool is_recovery(DialOutcome outcome) {
    return outcome == DialOutcome::starting_up || outcome == DialOutcome::in_recovery || outcome == DialOutcome::not_yet_accepting;
}

std::string_view word_for(ControlState state) {
    switch (state) {
        case ControlState::starting_up: return "starting up";
        case ControlState::shut_down: return "shut down";
        case ControlState::shut_down_in_recovery: return "shut down in recovery";
        case ControlState::shutting_down: return "shutting down";
        case ControlState::in_crash_recovery: return "in crash recovery";
        case ControlState::in_archive_recovery: return "in archive recovery";
        case ControlState::in_production: return "in production";
    }
    return "";
}

std::string_view word_for(Reach reach) {
    switch (reach) {
        case Reach::accepted: return "reaches it";
        case Reach::refused: return "is refused";
        case Reach::silent: return "gets no answer";
        case Reach::unknown: return "cannot tell";
    }
    return "";
}

}  // namespace handyrep::model
