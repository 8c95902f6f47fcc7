// engine/conductor.hpp — carries out a plan: journal, do, verify, journal; undo what certainly must be undone.
#pragma once

#include "engine/hands.hpp"
#include "saved/operation.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace handyrep::engine {

enum class End {
    done,     // the commit step happened; finishing steps may have failed, see `failures`
    refused,  // nothing irrevocable happened, and what was begun is undone
    unknown,  // the commit step may have happened: nothing was undone, look again
};

struct Outcome {
    End end;
    std::string text;                   // one sentence
    std::vector<std::string> failures;  // of finishing steps and of undoing, each a sentence
};

/// How an operation that runs is told to stop, which it does before its point of no return only.
struct CallOff {
    std::optional<std::string> why{};  // set: stop
    bool leave = false;                // what was done is not undone: what comes next begins with what is there
    bool too_late = false;             // its point of no return is reached
};

class Conductor {
public:
    /// `on_record` is told what the journal is told, at once: what is shown of an operation is made of it.
    Conductor(State& state, Findings& findings, CallOff& call_off, std::function<void(const saved::JournalRecord&)> on_record)
        : state_{state}, findings_{findings}, hands_{state, findings}, call_off_{call_off}, on_record_{std::move(on_record)} {}

    /// Journals `begun`, then the plan. Told to stop before the commit step it undoes, unless `leave`, and rethrows.
    asio::awaitable<Outcome> conduct(const plans::Plan& plan, const saved::OperationBegun& begun);

    /// The plan alone, for an operation that an earlier life began, or that was set aside: each step finds what is there of it.
    asio::awaitable<Outcome> go_on(const plans::Plan& plan);

    /// The finishing groups alone, for a promotion that is known to have happened.
    asio::awaitable<Outcome> finish(const std::vector<plans::Group>& groups);

    /// Undoes what an earlier life of the manager had begun.
    asio::awaitable<std::vector<std::string>> take_back(const std::vector<plans::Command>& undo);

    /// What could not be undone, each a sentence.
    [[nodiscard]] const std::vector<std::string>& failures() const { return failures_; }

    /// The operation is over: it is no longer open in the journal.
    Async<void> end(const std::string& text);

    /// Journal entries of this operation go on after those of an earlier life.
    void resume_at(std::uint64_t sequence) { sequence_ = sequence; }
    [[nodiscard]] std::uint64_t sequence() const { return sequence_; }

private:
    Async<void> journal(saved::JournalEntry entry, std::string step, std::string detail);
    /// `past_commit`: finishing goes on without the journal, for the commit step's own record already makes a later life look.
    Async<void> attempt(const plans::Step& step, std::string detail, bool past_commit = false);
    Async<void> prepare(const std::vector<plans::Step>& steps);
    asio::awaitable<void> undo(const std::vector<plans::Step>& steps, std::size_t begun);
    Async<void> commit(const plans::Step& step);

    State& state_;
    Findings& findings_;
    Hands hands_;
    CallOff& call_off_;
    std::function<void(const saved::JournalRecord&)> on_record_;
    std::vector<std::string> failures_;
    std::uint64_t sequence_ = 0;
};

}  // namespace handyrep::engine
