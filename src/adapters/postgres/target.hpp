// adapters/postgres/target.hpp — where and as whom to connect.
#pragma once

#include "base/secret.hpp"

#include <string>
#include <utility>
#include <vector>

namespace handyrep::adapters::postgres {

struct Target {
    std::string host;     // a name, an address, or the directory of a Unix socket
    std::string address;  // the numeric address to use; empty with a Unix socket
    std::string port;
    std::string user;
    std::string database;
    Secret password;  // empty: libpq looks in its passfile
    std::string application_name;
    std::vector<std::pair<std::string, std::string>> options;  // sslmode, sslrootcert, … by libpq's keywords
    bool replication = false;
};

}  // namespace handyrep::adapters::postgres
