# Every library that HandyRep uses, found once. Rooms name them in LIBS by the targets that stand here.
#
#   Boost::headers   handyrep::asio   handyrep::asio_ssl   fmt::fmt   yaml-cpp   nlohmann_json::nlohmann_json
#   SQLiteCpp   PostgreSQL::PostgreSQL   PkgConfig::libsodium   PkgConfig::libsystemd   PkgConfig::ldap
#   restinio::restinio   CLI11::CLI11   spdlog::spdlog   OpenSSL::SSL   benchmark::benchmark
#
# Imported targets are SYSTEM: our warnings do not apply to their headers.

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS headers)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)

# Asio is compiled once instead of in every file that includes it (a fifth of the time of such a file). The definition holds
# everywhere, so that a file that is linked without Asio fails to link instead of quietly bringing a second copy.
# No precompiled header: it saves more, but its content depends on the checkout's path (so ccache misses in every fresh clone),
# and it hides an include that is missing.
add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_DISABLE_BOOST_DATE_TIME) # the latter: timers in chrono only
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/asio.cpp" CONTENT "#include <boost/asio/impl/src.hpp>\n")
add_library(handyrep_asio STATIC EXCLUDE_FROM_ALL "${PROJECT_BINARY_DIR}/asio.cpp")
add_library(handyrep::asio ALIAS handyrep_asio)
target_link_libraries(handyrep_asio PUBLIC Boost::headers Threads::Threads)

if(HANDYREP_ROOMS_ONLY)
    return()
endif()

find_package(OpenSSL REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(SQLite3 REQUIRED) # before SQLiteCpp, whose targets name it
find_package(SQLiteCpp REQUIRED)
find_package(restinio REQUIRED)
find_package(spdlog REQUIRED)
find_package(benchmark REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libsodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(libsystemd REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(ldap REQUIRED IMPORTED_TARGET ldap)

file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/asio_ssl.cpp" CONTENT "#include <boost/asio/ssl/impl/src.hpp>\n")
add_library(handyrep_asio_ssl STATIC EXCLUDE_FROM_ALL "${PROJECT_BINARY_DIR}/asio_ssl.cpp")
add_library(handyrep::asio_ssl ALIAS handyrep_asio_ssl)
target_link_libraries(handyrep_asio_ssl PUBLIC handyrep::asio OpenSSL::SSL OpenSSL::Crypto)

# Debian's RESTinio is set up for the standalone Asio; ours runs on Boost's.
set_target_properties(restinio::restinio PROPERTIES INTERFACE_COMPILE_DEFINITIONS RESTINIO_USE_BOOST_ASIO=1)
set_property(TARGET restinio::restinio APPEND PROPERTY INTERFACE_LINK_LIBRARIES handyrep::asio_ssl)
