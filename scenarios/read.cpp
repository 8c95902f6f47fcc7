#include "base/text.hpp"
#include "base/yaml_fields.hpp"
#include "scenarios/scenario.hpp"
#include "scenarios/words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace handyrep::scenarios {

namespace {

constexpr std::array all_facts{
    FactKind::past_fork,      FactKind::not_past_fork, FactKind::acknowledged, FactKind::commit_waits, FactKind::still_says_streaming,
    FactKind::accepts_writes, FactKind::in_step,       FactKind::log_says};

std::string all_words() {
    std::string out;
    for (const Word& it : words()) out += (out.empty() ? "" : ", ") + std::string(it.word);
    return out;
}

const Word& word_of(std::string_view word, YamlPlace at, std::string_view key) {
    const auto found = std::ranges::find(words(), word, &Word::word);
    if (found == words().end()) fault(at, key, fmt::format("'{}' is not one of: {}", word.substr(0, 80), all_words()));
    return *found;
}

Duration duration(YamlFields& fields, std::string_view key) {
    const YamlPlace at = fields.place(key);
    return must(parse_duration(fields.text(key)), at, fields.path(key));
}

/// One text or a list of texts.
std::vector<std::string> texts(const YamlNode& node, std::string_view key) {
    if (node.kind == YamlNode::Kind::text) return {node.text};
    if (node.kind != YamlNode::Kind::list) fault(node.at, key, fmt::format("{}; expected a text or a list", word_for(node.kind)));
    std::vector<std::string> out;
    for (const YamlNode& it : node.items) {
        if (it.kind != YamlNode::Kind::text) fault(it.at, key, fmt::format("{}; expected a text", word_for(it.kind)));
        out.push_back(it.text);
    }
    return out;
}
std::vector<std::string> texts_if(YamlFields& fields, std::string_view key) {
    const YamlNode* const node = fields.take_if(key);
    return node == nullptr ? std::vector<std::string>{} : texts(*node, fields.path(key));
}
std::optional<std::string> text_if(YamlFields& fields, std::string_view key) {
    return fields.has(key) ? std::optional{fields.text(key)} : std::nullopt;
}
std::optional<std::size_t> number_if(YamlFields& fields, std::string_view key) {
    return fields.has(key) ? std::optional{fields.number<std::size_t>(key)} : std::nullopt;
}
void check_map(const YamlNode& node, std::string_view key) {
    if (node.kind != YamlNode::Kind::map) fault(node.at, key, fmt::format("{}; expected keys and values", word_for(node.kind)));
}
Settings pairs(const YamlNode& node, std::string_view key) {
    check_map(node, key);
    Settings out;
    for (const YamlNode& it : node.items) {
        if (it.kind != YamlNode::Kind::text) fault(it.at, it.key, fmt::format("{}; expected a text", word_for(it.kind)));
        out.emplace_back(it.key, it.text);
    }
    return out;
}
Settings pairs_if(YamlFields& fields, std::string_view key) {
    const YamlNode* const node = fields.take_if(key);
    return node == nullptr ? Settings{} : pairs(*node, key);
}

constexpr std::size_t most_servers = 7;

constexpr std::array router_words{"pgbouncer", "haproxy"};

/// Which machines a name can mean in one place.
enum class Nodes {
    servers,
    machines,  // also what stands beside the servers; they can be broken as the servers' can
    all        // also the manager's and the applications'
};
struct Place {
    const ClusterWanted& cluster;
    Nodes nodes;
};

std::vector<NodeName> names_in(const Place& place) {
    std::vector<NodeName> out;
    for (std::size_t it = 1; it <= place.cluster.servers; ++it) out.push_back(fmt::format("db{}", it));
    if (place.nodes == Nodes::servers) return out;
    out.insert(out.end(), place.cluster.routers.begin(), place.cluster.routers.end());
    if (place.cluster.etcd) out.emplace_back("etcd");
    if (place.nodes == Nodes::all) out.insert(out.end(), {"manager", "apps"});
    return out;
}

void check_node(const std::string& name, const Place& place, YamlPlace at, std::string_view key) {
    const std::vector<NodeName> names = names_in(place);
    if (std::ranges::count(names, name) == 0) fault(at, key, fmt::format("'{}' is not one of: {}", name.substr(0, 80), join(names, ", ")));
}

std::vector<NodeName> nodes(const YamlNode& node, const Place& place, std::string_view key) {
    std::vector<NodeName> out = texts(node, key);
    for (const NodeName& it : out) check_node(it, place, node.at, key);
    return out;
}

Deed read_fault(const YamlNode& node, const ClusterWanted& cluster) {
    YamlFields fields{node, "fault"};
    Deed out{.kind = {}};
    if (fields.has("for")) out.lasts = duration(fields, "for");
    out.refused = text_if(fields, "refused").value_or("");
    const YamlNode* what = nullptr;
    for (const YamlNode& it : node.items) {
        if (it.key != "for" && it.key != "refused") what = &it;
    }
    if (what == nullptr) fault(node.at, "fault", fmt::format("has no word; one of: {}", all_words()));
    const Word& word = word_of(what->key, what->key_at, "fault");
    out.kind = word.kind;
    const YamlNode& argument = fields.take(what->key);
    const std::string key = fields.path(what->key);
    switch (word.takes) {
        case Takes::nothing:
            if (argument.kind != YamlNode::Kind::nothing) fault(argument.at, key, "takes nothing: leave the place behind the colon empty");
            break;
        case Takes::server: out.on = nodes(argument, {cluster, Nodes::servers}, key); break;
        case Takes::machine: out.on = nodes(argument, {cluster, Nodes::machines}, key); break;
        case Takes::settings:
            check_map(argument, key);
            if (argument.items.size() != 1) fault(argument.at, key, "takes one server and its settings, {db2: {wal_log_hints: off}}");
            check_node(argument.items.front().key, {cluster, Nodes::servers}, argument.at, key);
            out.on = {argument.items.front().key};
            out.settings = pairs(argument.items.front(), key);
            break;
        case Takes::pairs: out.settings = pairs(argument, key); break;
        case Takes::two_nodes:
            out.on = nodes(argument, {cluster, Nodes::all}, key);
            if (out.on.size() != 2) fault(argument.at, key, "takes two names, [from, to]");
            break;
        case Takes::groups:
            if (argument.kind != YamlNode::Kind::list || argument.items.size() != 2)
                fault(argument.at, key, "takes two groups, [[manager, db2], [db1, apps]]");
            out.on = nodes(argument.items[0], {cluster, Nodes::all}, key);
            out.other = nodes(argument.items[1], {cluster, Nodes::all}, key);
            break;
    }
    fields.end();
    return out;
}

void read_facts(YamlFields& fields, const Place& servers, std::vector<Fact>& out) {
    for (const FactKind kind : all_facts) {
        const YamlNode* const node = fields.take_if(word_for(kind));
        if (node == nullptr) continue;
        if (kind == FactKind::log_says) {
            for (auto& [server, text] : pairs(*node, word_for(kind))) {
                check_node(server, servers, node->at, word_for(kind));
                out.push_back({kind, server, text});
            }
            continue;
        }
        for (const NodeName& it : nodes(*node, servers, word_for(kind))) out.push_back({kind, it});
    }
}

Question question(YamlFields& fields, const ClusterWanted& cluster) {
    const Place servers{cluster, Nodes::servers};
    Question out;
    out.situation = text_if(fields, "situation");
    out.finding = text_if(fields, "finding");
    out.reason = text_if(fields, "reason");
    out.event = text_if(fields, "event");
    if (const YamlNode* node = fields.take_if("takes_writes")) out.takes_writes = nodes(*node, servers, "takes_writes").front();
    if (const YamlNode* node = fields.take_if("replicas_of_it")) out.replicas_of_it = nodes(*node, servers, "replicas_of_it");
    if (const YamlNode* node = fields.take_if("follows")) {
        out.follows = pairs(*node, "follows");
        for (const auto& [replica, upstream] : out.follows) {
            check_node(replica, servers, node->at, "follows");
            check_node(upstream, servers, node->at, "follows");
        }
    }
    out.writes_through = texts_if(fields, "writes_through");
    for (const NodeName& it : out.writes_through) {
        if (std::ranges::count(cluster.routers, it) == 0)
            fault(fields.place("writes_through"), "writes_through", fmt::format("'{}' is no router of this cluster", it.substr(0, 80)));
    }
    out.must_be_down = text_if(fields, "must_be_down");
    if (fields.has("promoted")) out.promoted = fields.flag("promoted");
    read_facts(fields, servers, out.facts);
    return out;
}

constexpr std::array verbs{Verb::failover, Verb::promote, Verb::switchover, Verb::follow, Verb::rejoin, Verb::shutdown,
                           Verb::startup,  Verb::restart, Verb::fence,      Verb::clone,  Verb::reclone};

Order read_order(const YamlNode& node, Verb verb) {
    const std::string word{word_for(verb)};
    Order out{.verb = verb};
    if (node.kind == YamlNode::Kind::map) {
        YamlFields inner{node, word};
        out.to = text_if(inner, names_server_by(verb));
        if (verb == Verb::follow) out.replicas = texts_if(inner, "replicas");
        if (verb == Verb::failover || verb == Verb::promote) out.overrides = texts_if(inner, "override");
        const bool copies = verb == Verb::clone || verb == Verb::reclone;
        if (copies) out.from = text_if(inner, "from");
        if (copies && !out.to) fault(node.at, word, "says which server: {server: db3}");
        if (verb == Verb::switchover && inner.has("restart_all")) out.restart_all = inner.flag("restart_all");
        if (inner.has("refused")) {
            out.must_be_refused = true;
            out.refusal = inner.text("refused");
        }
        inner.end();
    } else if (node.kind != YamlNode::Kind::nothing) {
        fault(node.at, word, "takes nothing, or a map such as {to: db2, refused: NotReady}");
    }
    return out;
}

Step read_step(const YamlNode& node, const ClusterWanted& cluster) {
    YamlFields fields{node, ""};
    Step step{.line = node.at.line, .what = Run{}};
    if (const YamlNode* it = fields.take_if("fault")) {
        step.what = read_fault(*it, cluster);
    } else if (fields.has("end")) {
        const YamlPlace at = fields.place("end");
        step.what = End{word_of(fields.text("end"), at, "end").kind};
    } else if (fields.has("run")) {
        step.what = Run{duration(fields, "run")};
    } else if (const YamlNode* until = fields.take_if("until")) {
        YamlFields inner{*until, "until"};
        const Duration within = duration(inner, "within");
        step.what = Until{question(inner, cluster), within};
        inner.end();
    } else {
        const auto verb = std::ranges::find_if(verbs, [&](Verb it) { return fields.has(std::string(word_for(it))); });
        if (verb == verbs.end()) fault(node.at, "steps", "a step is one of: fault, end, run, until, or an order such as switchover");
        step.what = read_order(*fields.take_if(std::string(word_for(*verb))), *verb);
    }
    fields.end();
    return step;
}

ClusterWanted read_cluster(const YamlNode& node) {
    YamlFields fields{node, "cluster"};
    ClusterWanted out;
    if (fields.has("servers")) out.servers = fields.number<std::size_t>("servers", 1, most_servers);
    out.synchronous_standby_names = text_if(fields, "synchronous_standby_names").value_or("");
    out.failover = pairs_if(fields, "failover");
    out.priorities = pairs_if(fields, "priorities");
    if (const YamlNode* follows = fields.take_if("follows")) {
        out.follows = pairs(*follows, "follows");
        for (const auto& [replica, upstream] : out.follows) {
            check_node(replica, {out, Nodes::servers}, follows->at, "follows");
            check_node(upstream, {out, Nodes::servers}, follows->at, "follows");
        }
    }
    if (const YamlNode* set = fields.take_if("set")) {
        check_map(*set, "set");
        for (const YamlNode& it : set->items) {
            check_node(it.key, {out, Nodes::servers}, it.key_at, "set");
            out.settings.emplace_back(it.key, pairs(it, "set"));
        }
    }
    out.routers = texts_if(fields, "routers");
    for (const std::string& it : out.routers) {
        if (std::ranges::count(router_words, it) == 0 || std::ranges::count(out.routers, it) > 1)
            fault(
                fields.place("routers"), "routers",
                fmt::format("'{}' is not one of, once each: {}", it.substr(0, 80), fmt::join(router_words, ", ")));
    }
    if (fields.has("etcd")) out.etcd = fields.flag("etcd");
    if (fields.has("restarted_after")) out.restarted_after = duration(fields, "restarted_after");
    out.layout = texts_if(fields, "layout");
    for (const std::string& it : out.layout) {
        if (std::ranges::count(layouts, it) == 0)
            fault(fields.place("layout"), "layout", fmt::format("'{}' is not one of: {}", it.substr(0, 80), fmt::join(layouts, ", ")));
    }
    if (fields.has("one_machine")) out.one_machine = fields.flag("one_machine");
    fields.end();
    return out;
}

Expected read_expected(const YamlNode& node, const ClusterWanted& cluster) {
    YamlFields fields{node, "expect"};
    Expected out;
    out.promotions = number_if(fields, "promotions");
    out.failovers_begun = number_if(fields, "failovers_begun");
    out.takes_writes = texts_if(fields, "one_of_takes_writes");
    for (const std::string& it : out.takes_writes) {
        if (it != "nobody") check_node(it, {cluster, Nodes::servers}, fields.place("one_of_takes_writes"), "one_of_takes_writes");
    }
    out.situations_seen = texts_if(fields, "situations_seen");
    out.situations_never = texts_if(fields, "situations_never");
    out.findings_seen = texts_if(fields, "findings_seen");
    out.reasons_seen = texts_if(fields, "reasons_seen");
    out.events_seen = texts_if(fields, "events_seen");
    out.proof = text_if(fields, "proof");
    out.lost_commits = number_if(fields, "lost_commits");
    out.at_end = question(fields, cluster);
    fields.end();
    return out;
}

Only read_only(const YamlNode& node) {
    YamlFields fields{node, "only"};
    for (const PlayerKind player : {PlayerKind::simulator, PlayerKind::lab}) {
        if (!fields.has(word_for(player))) continue;
        Only out{player, fields.text(word_for(player))};
        fields.end();
        if (trim(out.reason).empty()) fault(node.at, "only", "says why the other player cannot play it");
        return out;
    }
    fault(node.at, "only", "takes lab or simulator, and why the other cannot play it: {lab: a simulated server has no TLS}");
}

Scenario scenario_of(const YamlNode& root, std::string_view file) {
    YamlFields fields{root, ""};
    Scenario out{.file = std::string(file), .title = fields.text("scenario"), .covers = texts_if(fields, "covers")};
    if (fields.has("seed")) out.seed = fields.number<std::uint64_t>("seed");
    if (const YamlNode* node = fields.take_if("only")) out.only = read_only(*node);
    if (const YamlNode* node = fields.take_if("cluster")) out.cluster = read_cluster(*node);
    for (const YamlNode& it : fields.list("steps")) out.steps.push_back(read_step(it, out.cluster));
    out.expect = read_expected(fields.take("expect"), out.cluster);
    fields.end();
    return out;
}

}  // namespace

std::string_view word_for(PlayerKind kind) {
    switch (kind) {
        case PlayerKind::simulator: return "simulator";
        case PlayerKind::lab: return "lab";
    }
    return "";
}

std::optional<std::string> why_not(const Scenario& scenario, PlayerKind player) {
    if (!scenario.only || scenario.only->player == player) return std::nullopt;
    return scenario.only->reason;
}

Result<Scenario> read(std::string_view text, std::string_view file) {
    const auto yaml = read_yaml(text);
    if (const auto* trouble = std::get_if<YamlTrouble>(&yaml))
        return Error{ErrorKind::invalid, fmt::format("{}:{}: {}", file, trouble->at.line, trouble->text)};
    try {
        return scenario_of(std::get<YamlNode>(yaml), file);
    } catch (const YamlFault& found) {
        Error error = found.error;
        return std::move(error).during(fmt::format("read {}", file));
    }
}

}  // namespace handyrep::scenarios
