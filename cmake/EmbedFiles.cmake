# ws_embed_file(OUT_VAR FILE SYMBOL): compiles FILE into `const std::string_view watershed::SYMBOL`; the
# generated source is added to OUT_VAR. Run as a script (-P) it does the writing.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${INPUT} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  string(REGEX REPLACE "(('[^']*',){16})" "\\1\n" bytes "${bytes}")
  file(WRITE ${OUTPUT} "#include <string_view>
namespace watershed {
static const char kBytes[] = {
${bytes}'\\0'};
extern const std::string_view ${SYMBOL};
const std::string_view ${SYMBOL}(kBytes, sizeof(kBytes) - 1);
}  // namespace watershed
")
  return()
endif()

set(WS_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})
function(ws_embed_file out_var file symbol)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded_${symbol}.cc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${output} -DSYMBOL=${symbol} -P
            ${WS_EMBED_SCRIPT}
    DEPENDS ${file} ${WS_EMBED_SCRIPT})
  set(${out_var} ${${out_var}} ${output} PARENT_SCOPE)
endfunction()
