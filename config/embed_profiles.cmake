# Writes OUTPUT, a C++ file that holds the text of each of PROFILES under its file name.
set(text "#include \"config/embedded_profiles.hpp\"\n\nnamespace tapedeck {\n\nstd::span<const EmbeddedProfile> embedded_profiles() {\n  static constexpr EmbeddedProfile profiles[] = {\n")
foreach(profile IN LISTS PROFILES)
  get_filename_component(name ${profile} NAME_WE)
  file(READ ${profile} content)
  string(APPEND text "      {\"${name}\", R\"profile(${content})profile\"},\n")
endforeach()
string(APPEND text "  };\n  return profiles;\n}\n\n}  // namespace tapedeck\n")
file(WRITE ${OUTPUT} "${text}")
