#pragma once
// Wavefront OBJ reader, made for furniture models written by many tools.

#include <string_view>

#include "datasets/point_cloud/scan/materials.h"
#include "datasets/point_cloud/scan/mesh.h"

namespace switchyard::scan {

/// Faces with less opacity (MTL `d`) are dropped: rays leave through window panes.
inline constexpr double kMinOpacity = 0.75;

/// Reads the text of an OBJ file. Understands v, vt, f (any corner form, n-gons by ear clipping),
/// usemtl, mtllib; ignores all else. Faces of fewer than three corners and degenerate triangles are
/// dropped. Vertices of the result: all that faces refer to, those of dropped panes included (they
/// count for the bounding box). Colour of a triangle: texel at its mean uv, else Kd.
/// `name` is used in messages. Errors: malformed number, index out of range, over 1024 corners.
Mesh load_obj(std::string_view text, const std::string& name, const FileSource& files);

}  // namespace switchyard::scan
