#pragma once

namespace handyrep {

/// Visits a variant with one lambda per alternative; no catch-all, so a new alternative does not compile until it is answered.
template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace handyrep
