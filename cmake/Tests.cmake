# handyrep_tests(<name> KIND unit|simulation|integration|versions [SHARDS <n>] [FILES <file>...] [DEPENDS <room>...] [LIBS <imported target>...])
#     One executable <kind>_<name> of FILES, or of every .cpp of the folder (*_labtest, *_fuzz, *_bench and main.cpp stay out, and so do
#     folders below it that have a CMakeLists.txt of their own). One ctest entry per executable, labelled with its kind, run from the
#     top of the checkout with HANDYREP_BUILD naming the build folder. Tests include "sim/…" and "tests/harness/…" from the top.
#     Of the kind versions there is one ctest entry for each server of tests/versions/servers.txt: versions_10, versions_11, …
#     With SHARDS a long one is so many ctest entries, which run side by side: simulation_sim_1_of_4, …
#     In a build of the rooms only, tests that depend on another room are left out.

set(HANDYREP_TIMEOUT_unit 120)
set(HANDYREP_TIMEOUT_simulation 600)
set(HANDYREP_TIMEOUT_integration 900)
set(HANDYREP_TIMEOUT_versions 900)

find_program(HANDYREP_SYMBOLIZER NAMES llvm-symbolizer-19 llvm-symbolizer)

function(handyrep_tests name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "KIND;SHARDS" "FILES;DEPENDS;LIBS")
    if(arg_UNPARSED_ARGUMENTS OR NOT DEFINED HANDYREP_TIMEOUT_${arg_KIND})
        message(FATAL_ERROR "handyrep_tests(${name}): KIND is unit, simulation, integration or versions; what is \"${arg_KIND}\" ${arg_UNPARSED_ARGUMENTS}?")
    endif()
    if(HANDYREP_ROOMS_ONLY)
        foreach(room IN LISTS arg_DEPENDS)
            if(NOT TARGET handyrep::${room})
                message(STATUS "Left out of a build of the rooms only: ${arg_KIND} tests ${name} (they use ${room})")
                return()
            endif()
        endforeach()
    endif()
    _handyrep_room_targets(depends "The ${arg_KIND} test ${name}" ${arg_DEPENDS})

    if(arg_FILES)
        set(files "")
        foreach(file IN LISTS arg_FILES)
            cmake_path(ABSOLUTE_PATH file NORMALIZE)
            list(APPEND files "${file}")
        endforeach()
    else()
        file(GLOB_RECURSE files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
        list(FILTER files EXCLUDE REGEX "(_labtest|_fuzz|_bench|(/|_)main)\\.cpp$")
        file(GLOB_RECURSE lists CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*/CMakeLists.txt")
        foreach(list IN LISTS lists)
            cmake_path(GET list PARENT_PATH other)
            foreach(file IN LISTS files)
                cmake_path(IS_PREFIX other "${file}" NORMALIZE belongs_to_other)
                if(belongs_to_other)
                    list(REMOVE_ITEM files "${file}")
                endif()
            endforeach()
        endforeach()
    endif()
    if(NOT files)
        message(STATUS "No test yet: ${arg_KIND} tests ${name}")
        return()
    endif()
    set_property(GLOBAL APPEND PROPERTY HANDYREP_TEST_FILES ${files})

    set(target ${arg_KIND}_${name})
    add_executable(${target} ${files})
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${target} PRIVATE ${depends} ${arg_LIBS} GTest::gmock GTest::gtest GTest::gtest_main)
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests")
    if(arg_KIND MATCHES "^(integration|versions)$" AND TARGET handyrep)
        add_dependencies(${target} handyrep)
    endif()

    set(environment "HANDYREP_BUILD=${PROJECT_BINARY_DIR}")
    if(HANDYREP_SANITIZE)
        list(APPEND environment
            "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1"
            "UBSAN_OPTIONS=print_stacktrace=1"
            "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")
        if(HANDYREP_SYMBOLIZER)
            list(APPEND environment "ASAN_SYMBOLIZER_PATH=${HANDYREP_SYMBOLIZER}" "TSAN_SYMBOLIZER_PATH=${HANDYREP_SYMBOLIZER}")
        endif()
    endif()
    if(arg_KIND STREQUAL "versions")
        _handyrep_version_tests(${target} "${environment}")
        return()
    endif()
    if(arg_SHARDS)
        _handyrep_shards(${target} ${arg_KIND} ${arg_SHARDS} "${environment}")
        return()
    endif()
    add_test(NAME ${target} COMMAND ${target} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${target} PROPERTIES
        LABELS ${arg_KIND} TIMEOUT ${HANDYREP_TIMEOUT_${arg_KIND}} ENVIRONMENT "${environment}")
    if(arg_KIND STREQUAL "integration")
        set_tests_properties(${target} PROPERTIES RUN_SERIAL ON) # they measure seconds
    endif()
endfunction()

# A long one in parts that run side by side, each under a name of its own for results of its own.
function(_handyrep_shards target kind shards environment)
    foreach(index RANGE 1 ${shards})
        math(EXPR from_zero "${index} - 1")
        set(name ${target}_${index}_of_${shards})
        file(CREATE_LINK ${target} "${PROJECT_BINARY_DIR}/tests/${name}" SYMBOLIC)
        add_test(NAME ${name} COMMAND "${PROJECT_BINARY_DIR}/tests/${name}" WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
        set_tests_properties(${name} PROPERTIES
            LABELS ${kind} TIMEOUT ${HANDYREP_TIMEOUT_${kind}}
            ENVIRONMENT "${environment};GTEST_TOTAL_SHARDS=${shards};GTEST_SHARD_INDEX=${from_zero}")
    endforeach()
endfunction()

# One executable under a name for each version, so that each writes results of its own.
function(_handyrep_version_tests target environment)
    file(STRINGS "${PROJECT_SOURCE_DIR}/tests/versions/servers.txt" lines REGEX "^[0-9]+ ")
    foreach(line IN LISTS lines)
        string(REGEX MATCH "^[0-9]+" major "${line}")
        file(CREATE_LINK ${target} "${PROJECT_BINARY_DIR}/tests/versions_${major}" SYMBOLIC)
        add_test(NAME versions_${major} COMMAND "${PROJECT_BINARY_DIR}/tests/versions_${major}" WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
        set_tests_properties(versions_${major} PROPERTIES
            LABELS versions TIMEOUT ${HANDYREP_TIMEOUT_versions} ENVIRONMENT "${environment};HANDYREP_POSTGRESQL=${major}")
    endforeach()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/versions/servers.txt")
endfunction()

# A test that nothing builds passes for ever.
function(handyrep_refuse_unregistered_tests)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/*_test.cpp" "${PROJECT_SOURCE_DIR}/tests/*_contract.cpp")
    get_property(registered GLOBAL PROPERTY HANDYREP_TEST_FILES)
    if(registered)
        list(REMOVE_ITEM files ${registered})
    endif()
    if(files)
        list(JOIN files "\n  " lost)
        message(FATAL_ERROR "No handyrep_tests() builds:\n  ${lost}")
    endif()
endfunction()
