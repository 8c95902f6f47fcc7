// adapters/files/database.hpp — opens one of our SQLite files, whatever state it was left in. Blocks.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <SQLiteCpp/Database.h>

#include <string>
#include <vector>

namespace handyrep::adapters::files {

struct DatabasePlan {
    std::string path;
    std::string tables;                   // the statements that make an empty file ours
    int format = 1;                       // kept in user_version; a newer one is refused
    std::string synchronous;              // FULL: a commit is on the disk when it returns; NORMAL: the last ones may be lost in a power cut
    std::vector<std::string> upgrades{};  // the first makes format 2 of format 1, and so on
};

struct OpenDatabase {
    SQLite::Database database;
    bool is_new = false;
    std::string set_aside;  // where a damaged file was moved; empty: there was none
};

/// A damaged file is renamed beside itself, with `now` in its name, and a new one is made. Fails with `unsupported` on a file of a newer format.
[[nodiscard]] Result<OpenDatabase> open_database(const DatabasePlan& plan, WallTime now);

/// "20261122T030405.000006Z": a time as part of a file's name.
[[nodiscard]] std::string stamp(WallTime now);

/// SQLite's words about `doing`, as an error that says the outcome is not known.
[[nodiscard]] Error database_trouble(std::string_view doing, const std::exception& failure);

}  // namespace handyrep::adapters::files
