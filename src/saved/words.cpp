#include "saved/words.hpp"

namespace handyrep::saved {

using model::ControlState;
using model::DialOutcome;
using model::LastWords;

std::string_view id_of(model::Role value) {
    switch (value) {
        case model::Role::primary: return "primary";
        case model::Role::replica: return "replica";
    }
    return "";
}

std::string_view id_of(model::Transport value) {
    switch (value) {
        case model::Transport::ssh: return "ssh";
        case model::Transport::local: return "local";
    }
    return "";
}

std::string_view id_of(model::Fencing value) {
    switch (value) {
        case model::Fencing::strict: return "strict";
        case model::Fencing::witnessed: return "witnessed";
        case model::Fencing::none: return "none";
    }
    return "";
}

std::string_view id_of(model::SelectionMethod value) {
    switch (value) {
        case model::SelectionMethod::priority_then_furthest: return "priority_then_furthest";
        case model::SelectionMethod::furthest_ahead: return "furthest_ahead";
    }
    return "";
}

std::string_view id_of(LastWords value) {
    switch (value) {
        case LastWords::none: return "none";
        case LastWords::postmaster_died: return "postmaster_died";
        case LastWords::administrator: return "administrator";
        case LastWords::immediate_stop: return "immediate_stop";
        case LastWords::backend_crash: return "backend_crash";
        case LastWords::other: return "other";
    }
    return "";
}

std::string_view id_of(DialOutcome value) {
    switch (value) {
        case DialOutcome::accepted: return "accepted";
        case DialOutcome::refused: return "refused";
        case DialOutcome::unreachable: return "unreachable";
        case DialOutcome::connect_timeout: return "connect_timeout";
        case DialOutcome::startup_timeout: return "startup_timeout";
        case DialOutcome::reset: return "reset";
        case DialOutcome::shutting_down: return "shutting_down";
        case DialOutcome::starting_up: return "starting_up";
        case DialOutcome::in_recovery: return "in_recovery";
        case DialOutcome::not_yet_accepting: return "not_yet_accepting";
        case DialOutcome::too_many_connections: return "too_many_connections";
        case DialOutcome::authentication_failed: return "authentication_failed";
        case DialOutcome::tls_failed: return "tls_failed";
        case DialOutcome::name_not_resolved: return "name_not_resolved";
        case DialOutcome::other_refusal: return "other_refusal";
    }
    return "";
}

std::string_view id_of(ControlState value) {
    switch (value) {
        case ControlState::starting_up: return "starting_up";
        case ControlState::shut_down: return "shut_down";
        case ControlState::shut_down_in_recovery: return "shut_down_in_recovery";
        case ControlState::shutting_down: return "shutting_down";
        case ControlState::in_crash_recovery: return "in_crash_recovery";
        case ControlState::in_archive_recovery: return "in_archive_recovery";
        case ControlState::in_production: return "in_production";
    }
    return "";
}

std::string_view id_of(model::Reach value) {
    switch (value) {
        case model::Reach::accepted: return "accepted";
        case model::Reach::refused: return "refused";
        case model::Reach::silent: return "silent";
        case model::Reach::unknown: return "unknown";
    }
    return "";
}

std::string_view id_of(ErrorKind value) {
    switch (value) {
        case ErrorKind::timed_out: return "timed_out";
        case ErrorKind::unreachable: return "unreachable";
        case ErrorKind::refused: return "refused";
        case ErrorKind::denied: return "denied";
        case ErrorKind::invalid: return "invalid";
        case ErrorKind::conflict: return "conflict";
        case ErrorKind::unsupported: return "unsupported";
        case ErrorKind::failed: return "failed";
    }
    return "";
}

}  // namespace handyrep::saved
