# Which room may use which: the one table. Read at configure time (cmake/Room.cmake) and by the test shape_includes
# (cmake/CheckIncludes.cmake). A room may always use itself; "*" is every room and every adapter.
#
#   base <- model <- {config, saved, decide} <- plans <- ports <- engine <- control <- {api, cli} <- app

set(_below_decide base model)
set(_below_plans ${_below_decide} config saved decide)
set(_below_ports ${_below_plans} plans)
set(_below_engine ${_below_ports} ports)
set(_below_control ${_below_engine} engine)
set(_below_api ${_below_control} control)

set(HANDYREP_MAY_USE_base)
set(HANDYREP_MAY_USE_model base)
set(HANDYREP_MAY_USE_config ${_below_decide})
set(HANDYREP_MAY_USE_saved ${_below_decide})
set(HANDYREP_MAY_USE_decide ${_below_decide})
set(HANDYREP_MAY_USE_plans ${_below_plans})
set(HANDYREP_MAY_USE_ports ${_below_ports})
set(HANDYREP_MAY_USE_engine ${_below_engine})
set(HANDYREP_MAY_USE_control ${_below_control})
set(HANDYREP_MAY_USE_api ${_below_api})
set(HANDYREP_MAY_USE_cli ${_below_api})
set(HANDYREP_MAY_USE_app "*")
set(HANDYREP_MAY_USE_adapters ${_below_engine}) # each adapter; never a sibling
set(HANDYREP_MAY_USE_scenarios base)
set(HANDYREP_MAY_USE_sim ${_below_control} scenarios)
set(HANDYREP_MAY_USE_harness "*")

set(HANDYREP_ROOMS base model config saved decide plans ports engine control api cli app adapters scenarios sim harness)

# Values in, values out. No Asio in base; from model to plans also no sockets, clocks of our own, random numbers, files, threads or log.
set(HANDYREP_PURE_ROOMS model config saved decide plans)
set(HANDYREP_NOT_IN_BASE "<(boost/asio|boost/beast|libpq-fe|restinio)")
set(HANDYREP_NOT_IN_PURE_ROOMS
    "<(boost/asio|boost/beast|libpq-fe|restinio|spdlog|sqlite3|SQLiteCpp|ldap|unistd|sys/|random>|fstream>|iostream>|filesystem>|thread>|mutex>|future>)")
