// config/configuration.hpp — the text of handyrep.conf in, checked values or every problem in it out.
//
// Pure: whoever calls reads the file. Nothing is guessed and nothing is half taken: with one problem there is no
// configuration. What is known about a key stands once, in config/schema.hpp. Problems never quote a password.
#pragma once

#include "base/secret.hpp"
#include "base/yaml.hpp"
#include "model/server.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handyrep::config {

/// Where the HTTP side listens.
struct Address {
    std::string host;
    std::uint16_t port = 0;
    friend bool operator==(const Address&, const Address&) = default;
};

enum class LogFormat { human, json };
enum class Preset { normal, aggressive };

/// libpq's own words, from trusting everybody to verifying the name in the certificate.
enum class SslMode { disable, allow, prefer, require, verify_ca, verify_full };
[[nodiscard]] std::string_view word_for(SslMode mode);

/// How the manager's own sessions at a server use TLS, with libpq's meanings. The files are on the manager's machine; empty: libpq's default.
struct Tls {
    SslMode mode = SslMode::prefer;
    std::string root_certificate{};  // of whoever signed the server's
    std::string certificate{};       // the manager's, and its key
    std::string key{};
    friend bool operator==(const Tls&, const Tls&) = default;
};

struct Passwords {
    Secret superuser;    // of database_user
    Secret replication;  // of replication_user
    Secret admin;        // of the HTTP side
    Secret read;
};

struct Origin {
    enum class Source {
        by_default,
        file,             // the key itself, at `at`
        server_defaults,  // of a server: taken from that section, at `at`
        derived,          // computed from the key `from`
    };
    Source source = Source::by_default;
    YamlPlace at{};
    std::string from{};
    friend bool operator==(const Origin&, const Origin&) = default;
};

/// One effective value, as `config show` prints it.
struct Setting {
    std::string section;
    std::string server;  // of the section servers, else empty
    std::string key;
    std::string value;  // as it would be written in the file; a secret is masked
    Origin origin;
    bool acts = true;  // false: accepted, has no effect yet
};

struct Configuration {
    model::ClusterDefinition cluster;
    std::string state_dir;
    Address listen;
    LogFormat log_format = LogFormat::human;
    Preset preset = Preset::normal;
    std::string replication_user;  // empty: database_user
    Passwords passwords;
    std::map<model::ServerName, Tls> tls{};  // of every server

    std::string file_name;
    std::vector<Setting> settings;  // in the order of the schema
};

/// `line` 0: about the whole file; `key` empty: about no single key.
struct Problem {
    std::string file;
    int line = 0;
    int column = 0;
    std::string key;
    std::string text;
    friend bool operator==(const Problem&, const Problem&) = default;
};

/// "handyrep.conf:12:7: failover.fencing: 'witnesed' is not …".
[[nodiscard]] std::string text(const Problem& problem);

struct Parsed {
    std::optional<Configuration> configuration;  // nothing when there is a problem
    std::vector<Problem> problems;               // all of them, in the order of the file
    std::vector<Problem> warnings;
};

/// `file_name` is for messages only.
[[nodiscard]] Parsed parse(std::string_view text, std::string_view file_name);

/// Every effective value as YAML that could be a configuration file, with its origin as a comment and secrets masked.
[[nodiscard]] std::string show(const Configuration& configuration);

/// "default", "handyrep.conf:12:7", "server_defaults, handyrep.conf:4:9", "from failover.preset".
[[nodiscard]] std::string text(const Origin& origin, std::string_view file_name);

}  // namespace handyrep::config
