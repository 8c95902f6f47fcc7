#include "model/readiness.hpp"

namespace handyrep::model {

std::string_view word_for(PgCtlStatus status) {
    switch (status) {
        case PgCtlStatus::not_found: return "not found";
        case PgCtlStatus::running: return "server is running";
        case PgCtlStatus::not_running: return "no server running";
        case PgCtlStatus::no_access: return "no access to the data directory";
        case PgCtlStatus::failed: return "failed";
    }
    return "";
}

}  // namespace handyrep::model
