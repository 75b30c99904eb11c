# Warnings, hardening and sanitizers for every target of the project.
add_compile_options(
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith
  -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wframe-larger-than=16384
  -Werror=implicit-function-declaration -Werror=format-security -Werror=incompatible-pointer-types
  -fno-common -fstack-protector-strong)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  # clang does not know the comments by which uthash's macros say that they mean it.
  add_compile_options(-Wimplicit-fallthrough)
endif()
if(WALLE_WERROR)
  add_compile_options(-Werror)
endif()

if(WALLE_FUZZ)
  # The libraries report their coverage to libFuzzer; its main() is linked by tests/fuzz alone.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(WALLE_SANITIZE)
  add_compile_options(-fsanitize=${WALLE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WALLE_SANITIZE})
elseif(WALLE_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
else()
  # Hardening needs optimisation; it stays out of the way of the sanitizers, which check the same and more.
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  endif()
  add_compile_options(-fstack-clash-protection -fcf-protection)
  add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()
add_compile_definitions(_GNU_SOURCE WALLE_VERSION="${PROJECT_VERSION}")
# Paths in messages and debug information do not name the machine on which this was built.
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
