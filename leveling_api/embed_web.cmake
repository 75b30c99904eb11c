# cmake -DDIRECTORY=web -DOUTPUT=web_files.c -P embed_web.cmake
#
# Writes the files of DIRECTORY as an array of struct web_file (web_files.h), each as bytes.
file(GLOB files ${DIRECTORY}/*)
list(SORT files)
set(text "/* Made by embed_web.cmake. */\n#include \"web_files.h\"\n\n")
set(table "")
set(number 0)
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  string(LENGTH "${hex}" length)
  math(EXPR length "${length} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  
  string(APPEND text "static const unsigned char file_${number}[] = {\n\t${bytes}\n};\n")
  string(APPEND table "\t{ \"${name}\", file_${number}, ${length} },\n")
  math(EXPR number "${number} + 1")
endforeach()
string(APPEND text "\nconst struct web_file web_files[] = {\n${table}};\nconst size_t web_file_count = ${number};\n")
file(WRITE ${OUTPUT} "${text}")
