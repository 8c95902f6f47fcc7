# The compiler, its warnings, sanitizers and hardening: the same for every room.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
    message(FATAL_ERROR
        "g++ ${CMAKE_CXX_COMPILER_VERSION} cannot build HandyRep. Older than 14, it destroys braced temporaries and capturing lambdas "
        "twice in any statement that contains co_await: a double free in code that is correct. "
        "Use clang 19: cmake --preset dev, or -DCMAKE_CXX_COMPILER=clang++-19.")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_COMPILE_WARNING_AS_ERROR ON)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

add_compile_options(
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual -Wunused
    -Woverloaded-virtual -Wimplicit-fallthrough -Wswitch -Werror=switch -Werror=return-type)

# clang reports a deprecated function inside libstdc++ 12 to whoever calls std::stable_sort, std::stable_partition or std::inplace_merge.
add_compile_options(-Wno-deprecated-declarations)

# Bounds and preconditions of the standard library are checked in production too: an abort is better than a wrong failover.
add_compile_definitions(_GLIBCXX_ASSERTIONS)

if(CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo|MinSizeRel)$" AND NOT HANDYREP_SANITIZE)
    include(CheckPIESupported)
    check_pie_supported()
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        add_compile_options(-fcf-protection=full)
    elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
        add_compile_options(-mbranch-protection=standard)
    endif()
    add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()

if(HANDYREP_SANITIZE)
    add_compile_options(-fsanitize=${HANDYREP_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${HANDYREP_SANITIZE})
endif()

find_program(HANDYREP_CCACHE ccache)
if(HANDYREP_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${HANDYREP_CCACHE}")
endif()
