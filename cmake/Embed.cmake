# Writes OUTPUT: a C++ source whose FUNCTION() returns the text of FILES (a ;-list), one after another.
# Run as a script, so that a changed asset rebuilds: cmake -DOUTPUT=.. -DFUNCTION=.. -DFILES=.. -P Embed.cmake
set(chunks "")
foreach(file IN LISTS FILES)
  file(READ "${file}" text)
  if(text MATCHES "\\)asset\"")
    message(FATAL_ERROR "${file} holds the end mark )asset\" of the string it is put into")
  endif()
  string(APPEND chunks "R\"asset(${text})asset\"\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"eval/report/page.h\"\n\nnamespace switchyard {\n\n"
     "std::string ${FUNCTION}() {\n  return ${chunks};\n}\n\n}  // namespace switchyard\n")
