// lab/fabric.hpp — the network between the hosts: a switch in a host of its own, and what it does to packets on their way.
//
// What is done to whom stands in files of the lab's folder, so that a later process can lift it.
#pragma once

#include "base/result.hpp"
#include "lab/machine.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace handyrep::lab {

/// What becomes of packets from one host to another.
enum class Treatment {
    dropped,
    lossy,   // three of ten are dropped
    reset,   // TCP is answered with a reset, by the one that is asked
    delayed  // 400 ms later
};

class Fabric {
public:
    explicit Fabric(std::filesystem::path folder) : switch_{Place{.name = "switch", .folder = std::move(folder)}} {}

    Result<void> start();
    /// Plugs a host in that has just been switched on, and gives it its address.
    Result<void> plug(const Machine& machine);
    /// Takes its cable out, or puts it back: the link is down for the host itself too.
    Result<void> set_link(const Machine& machine, bool up);

    /// From one to the other only, until it is lifted. `unsupported` where the kernel cannot do it.
    Result<void> treat(const Machine& from, const Machine& to, Treatment treatment) { return change(from, to, treatment, true); }
    Result<void> lift(const Machine& from, const Machine& to, Treatment treatment) { return change(from, to, treatment, false); }

    /// New connections to `port` are answered with a reset; those that are open go on.
    Result<void> close_port(const Machine& on, std::uint16_t port, bool closed);
    /// Segments that begin with HandyRep's promotion do not arrive: the sender's kernel tries again until they do.
    Result<void> hold_promotions(const Machine& to, std::uint16_t port, bool held);

private:
    Result<void> change(const Machine& from, const Machine& to, Treatment treatment, bool present);
    Result<void> filter(const std::string& rule, bool present);
    Result<void> refuse(const Machine& on, const std::string& rule, bool present);
    Result<void> set_delay(const Machine& to, bool delayed);

    Machine switch_;
};

}  // namespace handyrep::lab
