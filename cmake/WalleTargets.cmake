# walle_library(NAME SOURCES... LINK LIBRARIES...): a static library with public headers in include/ and everything
# else private. walle_test(NAME SOURCES... LINK LIBRARIES... [LABELS ...]): one cmocka executable, one CTest entry.
function(walle_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_LINK} PRIVATE ${arg_PRIVATE_LINK})
endfunction()

# Tests may look into a library's private directory: PRIVATE_OF names the library.
function(walle_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK;PRIVATE_OF;LABELS" ${ARGN})
  if(NOT arg_SOURCES)
    set(arg_SOURCES ${name}.c)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300) # only a test that hangs needs it
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINK} PkgConfig::CMOCKA)
  foreach(library ${arg_PRIVATE_OF})
    get_target_property(directory ${library} SOURCE_DIR)
    target_include_directories(${name} PRIVATE ${directory})
  endforeach()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABELS}")
endfunction()
