// saved/blank.hpp — an empty value of every type that is read, to be read over. Internal to saved/.
#pragma once

#include "model/moment.hpp"

namespace handyrep::saved {

template <class T>
T blank() {
    return T{};
}

template <>
inline model::ServerName blank() {
    return *model::ServerName::parse("blank");
}
template <>
inline model::ClusterName blank() {
    return *model::ClusterName::parse("blank");
}
template <>
inline model::Lsn blank() {
    return model::Lsn{0};
}
template <>
inline model::WalPosition blank() {
    return {.timeline = {}, .lsn = blank<model::Lsn>()};
}
template <>
inline model::TimelineSwitch blank() {
    return {.from = {}, .at = blank<model::Lsn>()};
}
template <>
inline model::TimelineHistory blank() {
    return {model::Timeline{}, {}};
}
template <>
inline model::PrimaryAnswer blank() {
    return {
        .timeline = {},
        .inserted = blank<model::Lsn>(),
        .flushed = blank<model::Lsn>(),
        .synchronous_standby_names = {},
        .synchronous_commit = {},
        .senders = {},
        .history = {}};
}
template <>
inline model::StandbyAnswer blank() {
    return {.timeline = {}, .received = blank<model::Lsn>(), .replayed = blank<model::Lsn>(), .receiver = {}, .replay_delay = {}};
}
template <>
inline model::Answered blank() {
    return {.system_id = {}, .version = {}, .server_time = {}, .started = {}, .as = blank<model::PrimaryAnswer>()};
}
template <>
inline model::WitnessSight blank() {
    return {.of = blank<model::ServerName>(), .reach = model::Reach::unknown};
}
template <>
inline model::Lease blank() {
    return {.server = blank<model::ServerName>()};
}
template <>
inline model::Seen<model::HeldSight> blank() {
    return {.at = {}, .what = model::Silent{}};
}
template <>
inline model::Seen<model::WitnessSight> blank() {
    return {.at = {}, .what = blank<model::WitnessSight>()};
}
template <>
inline model::Seen<model::Answered> blank() {
    return {.at = {}, .what = blank<model::Answered>()};
}
template <>
inline model::ServerDefinition blank() {
    return {.name = blank<model::ServerName>(), .hostname = {}, .ssh_key = {}, .ssh_config = {}, .pgdata = {}};
}
template <>
inline model::HighestSeen blank() {
    return {.server = blank<model::ServerName>(), .position = blank<model::WalPosition>()};
}
template <>
inline model::UpstreamSettings blank() {
    return {.server = blank<model::ServerName>(), .conninfo = {}};
}
template <>
inline model::PossiblePrimary blank() {
    return {.server = blank<model::ServerName>(), .expires = {}};
}
template <>
inline model::LastFailover blank() {
    return {.at = {}, .from = blank<model::ServerName>(), .to = blank<model::ServerName>()};
}
template <>
inline model::MustBeDown blank() {
    return {
        .server = blank<model::ServerName>(),
        .system_id = {},
        .hostname = {},
        .pgdata = {},
        .fork = blank<model::WalPosition>(),
        .successor = blank<model::ServerName>(),
        .successor_history = blank<model::TimelineHistory>(),
        .epoch = {}};
}
template <>
inline model::SavedState blank() {
    return {.cluster = blank<model::ClusterName>()};
}
template <>
inline model::ServerEvidence blank() {
    return {.server = blank<model::ServerName>()};
}
template <>
inline model::Moment blank() {
    return {.at = {}, .since = {}, .now = {}, .settings = {}, .saved = blank<model::SavedState>(), .evidence = {}, .guards = {}};
}

}  // namespace handyrep::saved
