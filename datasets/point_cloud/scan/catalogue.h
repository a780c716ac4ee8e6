#pragma once
// The furniture catalogue: Debian package sweethome3d-furniture (zip archives *.sh3f with a
// properties file each), restricted to the checked-in list of models, which fixes class, role and
// split.

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace switchyard::scan {

/// One usable model. Metres.
struct ModelEntry {
  std::string collection;  ///< archive name without extension
  std::string path;     ///< of the OBJ file inside the archive
  std::string name, role;
  int64_t label = 0;  ///< see classes.h
  bool test = false;  ///< the model appears in test rooms only (else in training rooms only)
  double width = 0, depth = 0, height = 0;
  double elevation = 0;  ///< of the lower edge above the floor (windows, hanging things)
  double top = -1;       ///< height of the surface that carries things; negative: carries nothing
  std::array<double, 9> rotation = {1, 0, 0, 0, 1, 0, 0, 0, 1};  ///< row-major, applied to OBJ axes
};

/// Reads the model list (CSV with header library,model,name,class,role,split,width_cm,depth_cm,
/// height_cm,elevation_cm,triangles). Errors name file and line.
std::vector<ModelEntry> read_model_list(const std::filesystem::path& file);

/// `key#N=value` lines, latin-1, with \uXXXX and \-escapes: entry N -> key -> value.
std::map<int64_t, std::map<std::string, std::string>> parse_properties(const std::string& text);

/// Path of an archive. Errors: not there (names the Debian package).
std::filesystem::path archive_path(const std::filesystem::path& catalogue,
                                   const std::string& library);

/// Completes `entries` (top, rotation) from the properties of the archives in folder `catalogue`.
/// Errors: archive missing, model of the list not in the archive.
void read_properties(const std::filesystem::path& catalogue, std::vector<ModelEntry>& entries);

}  // namespace switchyard::scan
