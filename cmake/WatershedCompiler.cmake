# Flags that every target shares. Build type Dev is -O2 with assertions on.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_FLAGS_DEV "-O2 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG -g1 -fno-omit-frame-pointer")

# x86-64-v2 has SSE4.2 and popcount; simdjson and xxhash choose wider code at run time.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-march=x86-64-v2)
endif()
if(WATERSHED_SANITIZE)
  add_compile_options(-fsanitize=${WATERSHED_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WATERSHED_SANITIZE})
  add_compile_definitions(WATERSHED_SANITIZED=1)  # clang 16 has no macro of its own
  if(WATERSHED_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
else()
  add_link_options(-fuse-ld=mold)
endif()
add_link_options(-Wl,--as-needed)

# Warnings are ours to fix, not those of generated or third-party code. They fail every build but a
# release: at -O3 gcc 12 warns of what is right, tests do not build that, and users must be able to.
add_library(watershed_warnings INTERFACE)
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT WATERSHED_FUZZ)
  set(WS_WARNINGS_FAIL -Werror)
endif()
target_compile_options(watershed_warnings INTERFACE
  -Wall -Wextra ${WS_WARNINGS_FAIL} -Wno-missing-field-initializers)
# At -O3, and under sanitizers, gcc 12 takes members of optionals and variants that are not there for
# uninitialised ones, in boost and std::regex as well as in ours. Preset dev keeps the warning.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND (WATERSHED_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Release"))
  target_compile_options(watershed_warnings INTERFACE -Wno-maybe-uninitialized)
endif()
target_include_directories(watershed_warnings INTERFACE ${CMAKE_SOURCE_DIR})
if(WATERSHED_INJECTION_POINTS)
  target_compile_definitions(watershed_warnings INTERFACE WATERSHED_INJECTION_POINTS=1)
endif()

# ws_library(NAME SOURCES a.cc … DEPS targets …): a static library of ours.
function(ws_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS} watershed_warnings)
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

# ws_executable(NAME SOURCES … DEPS …): a program of ours, in bin/.
function(ws_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} watershed_warnings)
  if(WATERSHED_JEMALLOC)
    target_link_libraries(${name} PRIVATE -Wl,--no-as-needed jemalloc -Wl,--as-needed)
  endif()
endfunction()
