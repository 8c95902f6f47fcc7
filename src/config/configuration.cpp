#include "config/configuration.hpp"

#include "base/text.hpp"
#include "config/check.hpp"
#include "config/schema.hpp"
#include "config/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace handyrep::config {

namespace {

using NodeKind = YamlNode::Kind;

/// Roles of the original that stood among the databases. This version looks after databases only.
constexpr std::array<std::string_view, 5> other_roles{"proxy", "pgbouncer", "haproxy", "pgpool", "archive"};

/// A key as the file spells it, made fit for one line of a message. In the section of passwords anything that is not a plain
/// word is kept back: a forgotten blank after the colon makes key and password one word.
std::string shown(std::string_view key, Section section) {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    if (section == Section::passwords && !std::ranges::all_of(key, plain)) return "this key";
    std::string out(key.substr(0, 60));
    std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return out;
}

struct Given {
    const YamlNode* node;
    std::string path;  // as the file spells it: "failover.fail_retries"
};
using GivenKeys = std::map<const Key*, Given>;

struct Resolved {
    Value value;
    Origin origin;
};

class Reader {
public:
    Reader(Configuration configuration, std::string file) : configuration_{std::move(configuration)}, file_{std::move(file)} {
        configuration_.file_name = file_;
    }

    Parsed read(std::string_view text) {
        const auto yaml = read_yaml(text);
        if (const auto* trouble = std::get_if<YamlTrouble>(&yaml)) {
            problem(trouble->at, "", trouble->text);
        } else {
            file(std::get<YamlNode>(yaml));
        }
        return finish();
    }

private:
    void file(const YamlNode& root) {
        if (root.kind != NodeKind::map) {
            problem(root.at, "", fmt::format("{}; expected sections such as handyrep, failover and servers", word_for(root.kind)));
            return;
        }
        std::set<std::string> seen;
        for (const YamlNode& node : root.items) section(node, seen);
        globals();
        if (servers_ != nullptr) servers(*servers_);
        for (Remark& remark : check(configuration_, servers_ != nullptr ? servers_->key_at : YamlPlace{}, unread_)) {
            (remark.is_warning ? warnings_ : problems_).push_back(make(remark.at, std::move(remark.key), std::move(remark.text)));
        }
    }

    void section(const YamlNode& node, std::set<std::string>& seen) {
        const auto known = std::ranges::find(sections(), std::string_view{node.key}, [](Section it) { return word_for(it); });
        if (known == sections().end()) {
            std::vector<std::string_view> words;
            for (const Section it : sections()) words.push_back(word_for(it));
            const auto meant = nearest(node.key, words);
            problem(
                node.key_at, shown(node.key, Section::handyrep),
                fmt::format(
                    "is not a section; expected one of {}{}", fmt::join(words, ", "),
                    meant ? fmt::format("; did you mean {}?", *meant) : ""));
            return;
        }
        if (!seen.insert(node.key).second) {
            problem(node.key_at, node.key, "the section is here twice; expected it once");
            return;
        }
        if (node.kind != NodeKind::map && node.kind != NodeKind::nothing) {
            problem(node.at, node.key, fmt::format("{}; expected a map of keys and values", word_for(node.kind)));
            if (*known == Section::servers) unread_.emplace("servers");
            return;
        }
        switch (*known) {
            case Section::handyrep:
            case Section::passwords:
            case Section::failover:
            case Section::archive:
            case Section::server_defaults: collect(node, *known, node.key, false, given_); break;
            case Section::servers: servers_ = &node; break;
            case Section::extra_failover_commands:
            case Section::plugins: unused_section(node); break;
        }
    }

    /// The keys of one map, known ones into `into`; the others are named.
    void collect(const YamlNode& map, Section section, const std::string& prefix, bool in_server, GivenKeys& into) {
        for (const YamlNode& node : map.items) {
            const std::string path = fmt::format("{}.{}", prefix, shown(node.key, section));
            const Key* const key = find_key(section, node.key);
            if (key == nullptr) {
                problem(node.key_at, path, fmt::format("is not a known key{}", suggestion(node.key, section, in_server)));
            } else if (in_server && !key->in_servers) {
                problem(node.key_at, path, "belongs in server_defaults");
            } else if (!in_server && !key->in_defaults) {
                problem(node.key_at, path, "belongs to each server in servers");
            } else if (const auto [first, is_new] = into.emplace(key, Given{&node, path}); !is_new) {
                problem(
                    node.key_at, path,
                    fmt::format("is here twice; the first is {} in line {}", first->second.path, first->second.node->key_at.line));
            }
        }
    }

    [[nodiscard]] static std::string suggestion(const std::string& word, Section section, bool in_server) {
        std::vector<std::string_view> names;
        for (const Key& key : schema()) {
            if (key.section == section) {
                if (in_server ? key.in_servers : key.in_defaults) names.push_back(key.name);
            } else if (key.name == word) {
                return fmt::format("; it belongs in the section {}", word_for(key.section));
            }
        }
        if (const auto meant = nearest(word, names)) return fmt::format("; did you mean {}?", *meant);
        return fmt::format("; expected one of {}", fmt::join(names, ", "));
    }

    void unused_section(const YamlNode& node) {
        if (node.items.empty()) return;
        std::set<std::string> seen;
        for (const YamlNode& item : node.items) {
            const std::string path = fmt::format("{}.{}", node.key, shown(item.key, Section::plugins));
            if (!seen.insert(item.key).second) problem(item.key_at, path, "is here twice; expected it once");
            if (item.kind != NodeKind::map && item.kind != NodeKind::nothing) {
                problem(item.at, path, fmt::format("{}; expected a map of keys and values", word_for(item.kind)));
            }
        }
        warn(node.key_at, node.key, "accepted, has no effect yet in this version");
    }

    void globals() {
        for (const Key& key : schema()) {
            if (key.section == Section::server_defaults && key.in_servers) {
                if (const auto found = given_.find(&key); found != given_.end()) {
                    if (auto value = read_given(key, found->second)) defaults_.emplace(&key, std::move(*value));
                }
                continue;
            }
            const auto found = given_.find(&key);
            const auto value =
                found != given_.end() ? read_given(key, found->second) : fallback(key, std::string(word_for(key.section)), {});
            take(key, value, word_for(key.section), {}, {configuration_});
        }
    }

    void servers(const YamlNode& section) {
        std::map<std::string, int> lines;
        for (const YamlNode& node : section.items) {
            const std::string path = fmt::format("servers.{}", shown(node.key, Section::servers));
            const auto [first, is_new] = lines.emplace(node.key, node.key_at.line);
            if (!is_new) {
                problem(node.key_at, path, fmt::format("is here twice; the first is in line {}", first->second));
            } else if (const auto name = model::ServerName::parse(node.key); !name) {
                problem(node.key_at, path, name.error().what);
                unread_.emplace("servers");
            } else if (node.kind != NodeKind::map && node.kind != NodeKind::nothing) {
                problem(
                    node.at, path, fmt::format("{}; expected the properties of a server, such as hostname and role", word_for(node.kind)));
                unread_.emplace("servers");
            } else if (!is_left_out(node, path)) {
                server(node, *name, path);
            }
        }
    }

    bool is_left_out(const YamlNode& node, const std::string& path) {
        const auto role = std::ranges::find(node.items, "role", &YamlNode::key);
        if (role == node.items.end() || std::ranges::find(other_roles, lower(role->text)) == other_roles.end()) return false;
        warn(
            role->at, path + ".role",
            fmt::format(
                "'{}' is accepted and left out: this version looks after databases only, and leads no client to a new primary",
                role->text));
        return true;
    }

    void server(const YamlNode& node, const model::ServerName& name, const std::string& path) {
        GivenKeys given;
        collect(node, Section::server_defaults, path, true, given);
        model::ServerDefinition definition{.name = name, .hostname = {}, .ssh_key = {}, .ssh_config = {}, .pgdata = {}};
        Tls tls;
        for (const Key& key : schema()) {
            if (key.section != Section::server_defaults || !key.in_servers) continue;
            std::optional<Resolved> value;
            if (const auto found = given.find(&key); found != given.end()) {
                value = read_given(key, found->second);
            } else if (const auto common = defaults_.find(&key); common != defaults_.end()) {
                value = common->second;
                value->origin.source = Origin::Source::server_defaults;
            } else {
                value = fallback(key, path, node.key_at);
            }
            take(key, value, "servers", name.text(), {configuration_, &definition, &tls});
        }
        configuration_.cluster.servers.push_back(std::move(definition));
        configuration_.tls.emplace(name, std::move(tls));
    }

    /// Nothing, and a problem, when the value is not one for this key.
    std::optional<Resolved> read_given(const Key& key, const Given& given) {
        const YamlNode& node = *given.node;
        const bool optional = key.fallback.empty() && !key.required;
        if (optional && (node.kind == NodeKind::nothing || (node.kind == NodeKind::text && node.text.empty()))) {
            return Resolved{Value{std::string{}}, {.source = Origin::Source::file, .at = node.key_at}};
        }
        const Origin origin{.source = Origin::Source::file, .at = node.at};
        if (key.kind == Kind::anything) {
            no_effect(key, given);
            return Resolved{Value{std::string{"(not shown)"}}, origin};
        }
        if (node.kind != NodeKind::text) {
            problem(node.at, given.path, fmt::format("{}; expected {}", word_for(node.kind), expected(key.kind)));
            return unread(key);
        }
        auto value = read_value(key.kind, node.text);
        if (!value) {
            problem(node.at, given.path, value.error().what);
            return unread(key);
        }
        if (!in_range(key, *value)) {
            problem(node.at, given.path, fmt::format("{} is out of range; expected {} to {}", text(*value), key.least, key.most));
            return unread(key);
        }
        if (key.kind == Kind::bytes && *magnitude(*value) > 0 && *magnitude(*value) < 65536 &&
            node.text.find_first_not_of("0123456789") == std::string::npos) {
            warn(node.at, given.path, fmt::format("is read as {} bytes; give a unit, as in {}MB", node.text, node.text));
        }
        if (text(*value) != key.fallback) no_effect(key, given);
        return Resolved{*std::move(value), origin};
    }

    std::optional<Resolved> unread(const Key& key) {
        unread_.emplace(key.name);
        return std::nullopt;
    }

    static bool in_range(const Key& key, const Value& value) {
        const auto bound = [&](std::string_view limit) -> std::optional<std::int64_t> {
            const auto read = read_value(key.kind, limit);
            return read ? magnitude(*read) : std::nullopt;
        };
        const auto size = magnitude(value);
        const auto least = bound(key.least);
        const auto most = bound(key.most);
        return !size || ((!least || *size >= *least) && (!most || *size <= *most));
    }

    std::optional<Resolved> fallback(const Key& key, const std::string& prefix, YamlPlace at) {
        if (key.required) {
            const bool shared = key.section == Section::server_defaults && key.in_defaults;
            problem(
                at, fmt::format("{}.{}", prefix, key.name),
                fmt::format(
                    "is missing; expected {} ({}){}", expected(key.kind), key.meaning, shared ? ", here or in server_defaults" : ""));
            return unread(key);
        }
        if (key.derive != nullptr) {
            if (const auto derived = key.derive(configuration_))
                return resolved(key, derived->text, {.source = Origin::Source::derived, .at = {}, .from = derived->from});
        }
        if (key.fallback.empty()) return Resolved{Value{std::string{}}, {}};
        return resolved(key, key.fallback, {});
    }

    static std::optional<Resolved> resolved(const Key& key, std::string_view text, Origin origin) {
        auto value = read_value(key.kind, text);
        if (!value) return std::nullopt;
        return Resolved{*std::move(value), std::move(origin)};
    }

    void take(const Key& key, const std::optional<Resolved>& resolved, std::string_view section, const std::string& server, Target target) {
        if (!resolved) return;
        const std::string shown_value = text(resolved->value);
        // An empty text is "none", whatever the kind; the field keeps what it is born with.
        const auto* const plain = std::get_if<std::string>(&resolved->value);
        if (key.set != nullptr && (plain == nullptr || !plain->empty())) key.set(target, resolved->value);
        configuration_.settings.push_back(
            {.section = std::string(section),
             .server = server,
             .key = std::string(key.name),
             .value = shown_value,
             .origin = resolved->origin,
             .acts = key.acts});
    }

    void no_effect(const Key& key, const Given& given) {
        if (!key.acts) warn(given.node->key_at, given.path, "accepted, has no effect yet in this version");
    }

    Problem make(YamlPlace at, std::string key, std::string text) const {
        return {file_, at.line, at.column, std::move(key), std::move(text)};
    }
    void problem(YamlPlace at, std::string key, std::string text) { problems_.push_back(make(at, std::move(key), std::move(text))); }
    void warn(YamlPlace at, std::string key, std::string text) { warnings_.push_back(make(at, std::move(key), std::move(text))); }

    Parsed finish() {
        const auto place = [](const Problem& it) { return std::tie(it.line, it.column, it.key, it.text); };
        std::ranges::sort(problems_, {}, place);
        std::ranges::sort(warnings_, {}, place);
        Parsed parsed{.configuration = {}, .problems = std::move(problems_), .warnings = std::move(warnings_)};
        if (parsed.problems.empty()) parsed.configuration = std::move(configuration_);
        return parsed;
    }

    Configuration configuration_;
    std::string file_;
    GivenKeys given_;                          // of every section but servers
    std::map<const Key*, Resolved> defaults_;  // of server_defaults, read once
    const YamlNode* servers_ = nullptr;
    UnreadKeys unread_;
    std::vector<Problem> problems_;
    std::vector<Problem> warnings_;
};

}  // namespace

Parsed parse(std::string_view text, std::string_view file_name) {
    // Replaced by the file's own cluster_name, without which there is no configuration.
    auto placeholder = model::ClusterName::parse("unnamed");
    if (!placeholder) return {};
    Configuration configuration{
        .cluster = {.name = *std::move(placeholder), .failover = {}, .servers = {}},
        .state_dir = {},
        .listen = {},
        .replication_user = {},
        .passwords = {},
        .file_name = {},
        .settings = {}};
    return Reader{std::move(configuration), std::string(file_name)}.read(text);
}

}  // namespace handyrep::config
