#include "saved/recording.hpp"

#include "base/overloaded.hpp"
#include "saved/fields.hpp"
#include "saved/outline.hpp"

#include <algorithm>
#include <array>

namespace handyrep::saved {

namespace {

constexpr std::string_view kind = "handyrep recording";

std::string mark_of(const Leaf& leaf) { return fmt::format("{:02x}", (leaf.hash ^ leaf.hash >> 32U) & 0xFFU); }

std::string sum_of(const std::vector<Leaf>& leaves) {
    std::uint64_t sum = 0;
    for (const Leaf& leaf : leaves) sum = (sum ^ leaf.hash) * 0x100000001B3ULL;
    return fmt::format("{:016x}", sum);
}

/// One byte per value, so that a hand that changed one is told which, and a sum of them all.
std::string marks_of(const std::vector<Leaf>& leaves) {
    std::string out;
    for (const Leaf& leaf : leaves) out += mark_of(leaf);
    return out + sum_of(leaves);
}

void check_kind(const Json& root) {
    if (!root.is_object() || !root.contains("kind") || root["kind"] != kind)
        throw Fault{"kind", fmt::format("is not '{}': this file is something else", kind)};
    const auto format = root.find("format");
    if (format == root.end()) throw Fault{"format", "is missing"};
    int number = 0;
    Reader::read(Place{format.value(), "format"}, number);
    if (number == recording_format) return;
    const bool says = root.contains("handyrep") && root["handyrep"].is_string();
    throw Fault{
        "format", fmt::format(
                      "the file has format {}, made by HandyRep {}; this HandyRep reads format {} only", number,
                      says ? root["handyrep"].get<std::string>().substr(0, 40) : "of an unknown version", recording_format)};
}

/// Every server that is spoken of is one of the cluster's.
void check_servers(const model::Moment& moment, const std::string& path) {
    const auto must_be_known = [&](const model::ServerName& name, const std::string& where) {
        if (std::ranges::find(moment.saved.servers, name, &model::ServerDefinition::name) == moment.saved.servers.end())
            throw Fault{path + where, fmt::format("'{}' is not one of saved.servers", name.text())};
    };
    const auto must_be_single = [&](const auto& list, auto member, const std::string& where) {
        for (std::size_t index = 0; index < list.size(); ++index) {
            if (std::ranges::count(list, list[index].*member, member) > 1)
                throw Fault{fmt::format("{}{}[{}]", path, where, index), fmt::format("'{}' is here twice", (list[index].*member).text())};
        }
    };
    must_be_single(moment.saved.servers, &model::ServerDefinition::name, ".saved.servers");
    must_be_single(moment.evidence.servers, &model::ServerEvidence::server, ".evidence");
    if (moment.saved.primary) must_be_known(*moment.saved.primary, ".saved.primary");
    if (moment.saved.possible_primary) must_be_known(moment.saved.possible_primary->server, ".saved.possible_primary.server");
    if (moment.evidence.lease) must_be_known(moment.evidence.lease->server, ".lease.server");
    for (std::size_t index = 0; index < moment.evidence.servers.size(); ++index)
        must_be_known(moment.evidence.servers[index].server, fmt::format(".evidence[{}].server", index));
}

void check_marks(const Json& root) {
    const std::string marks = root["marks"].get<std::string>();
    Json rest = root;
    rest.erase("marks");
    const std::vector<Leaf> leaves = leaves_of(rest);
    for (std::size_t index = 0; index < leaves.size(); ++index) {
        if (marks.substr(std::min(marks.size(), 2 * index), 2) != mark_of(leaves[index]))
            throw Fault{leaves[index].path, "was changed by hand, or the lines before it were"};
    }
    if (marks != marks_of(leaves)) throw Fault{"marks", "do not fit the values: the file was changed by hand"};
}

Recording recording_of(const Json& root) {
    check_kind(root);
    Reader fields{Place{root, ""}, Instant{}};
    static_cast<void>(fields.take("kind"));
    static_cast<void>(fields.take("format"));
    Recording out{.handyrep = {}, .moments = {}};
    fields("handyrep", out.handyrep);
    const Place moments = fields.take("moments");
    if (!moments.json.is_array() || moments.json.empty()) moments.fault(fmt::format("{} is not a list of moments", moments.shown()));
    for (std::size_t index = 0; index < moments.json.size(); ++index) {
        const Place place{moments.json[index], fmt::format("moments[{}]", index)};
        auto moment = blank<model::Moment>();
        if (!place.json.is_object()) place.fault(fmt::format("{} is not an object", place.shown()));
        // The instants of a moment stand on its own wall time: any other base would do.
        Reader at{place, Instant{}};
        at("at", moment.at);
        moment.now = Instant{moment.at.time_since_epoch()};
        Reader{place, moment.now}.read(place, moment);
        check_servers(moment, place.path);
        out.moments.push_back(std::move(moment));
    }
    std::string marks;
    fields("marks", marks);
    fields.end();
    check_marks(root);
    return out;
}

/// Behind the value that begins at `from`, quoted or not, as libpq reads it. Nothing: a quote is not closed.
std::optional<std::size_t> end_of_value(std::string_view text, std::size_t from) {
    const bool quoted = from < text.size() && text[from] == '\'';
    for (std::size_t at = quoted ? from + 1 : from; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (quoted && text[at] == '\'') {
            return at + 1;
        } else if (!quoted && text[at] == ' ') {
            return at;
        }
    }
    return quoted ? std::nullopt : std::optional{text.size()};
}

}  // namespace

std::string without_secrets(std::string_view conninfo) {
    constexpr std::array<std::string_view, 3> kept{"host", "port", "application_name"};
    std::string out;
    // What is not surely keyword=value, and all behind it, is left out.
    for (std::size_t at = conninfo.find_first_not_of(' '); at < conninfo.size(); at = conninfo.find_first_not_of(' ', at)) {
        const auto equals = conninfo.find('=', at);
        if (equals == std::string_view::npos) break;
        const std::string_view keyword = conninfo.substr(at, equals - at);
        const auto end = end_of_value(conninfo, equals + 1);
        if (!end || keyword.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != std::string_view::npos) break;
        if (std::ranges::find(kept, keyword) != kept.end())
            out += fmt::format("{}{}", out.empty() ? "" : " ", conninfo.substr(at, *end - at));
        at = *end;
    }
    return out;
}

std::string to_text(const Recording& recording) {
    Json root{{"kind", kind}, {"format", recording_format}, {"handyrep", recording.handyrep}, {"moments", Json::array()}};
    for (const model::Moment& moment : recording.moments) root["moments"].push_back(Writer{moment.now}.write(moment));
    // Bytes that are not UTF-8 (a server's message may hold any) become U+FFFD before they are marked.
    const auto clean = [](const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace); };
    root = Json::parse(clean(root));
    root["marks"] = marks_of(leaves_of(root));
    return clean(root) + "\n";
}

Result<Recording> recording_from_text(std::string_view text) {
    const auto damaged = [](const Fault& it) {
        return Error{
            ErrorKind::invalid, fmt::format(
                                    "the recording cannot be used: {}{}{}; take the file as 'handyrep record' wrote it, or make a new one",
                                    it.path, it.path.empty() ? "" : ": ", it.what)};
    };
    if (const auto trouble = trouble_in(text)) return damaged(*trouble);
    try {
        return recording_of(Json::parse(text));
    } catch (const Fault& found) {
        return damaged(found);
    }
}

}  // namespace handyrep::saved
