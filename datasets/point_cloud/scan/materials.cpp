#include "datasets/point_cloud/scan/materials.h"

#include <algorithm>
#include <opencv2/imgcodecs.hpp>

#include "core/base/error.h"
#include "datasets/point_cloud/scan/obj_text.h"

namespace switchyard::scan {
namespace {

double wrap(double x) { return std::isfinite(x) ? x - std::floor(x) : 0; }

std::shared_ptr<const Texture> decode(const std::string& bytes) {
  cv::Mat image;
  try {
    const cv::Mat raw(1, int(bytes.size()), CV_8U, const_cast<char*>(bytes.data()));
    image = cv::imdecode(raw, cv::IMREAD_COLOR);
  } catch (const cv::Exception&) {
    return nullptr;
  }
  if (image.empty()) return nullptr;
  auto out = std::make_shared<Texture>();
  out->width = image.cols;
  out->height = image.rows;
  out->pixels.resize(size_t(image.cols) * image.rows);
  for (int y = 0; y < image.rows; ++y) {
    const cv::Vec3b* row = image.ptr<cv::Vec3b>(y);
    for (int x = 0; x < image.cols; ++x) {
      out->pixels[size_t(y) * image.cols + x] = {row[x][2], row[x][1], row[x][0]};
    }
  }
  return out;
}

}  // namespace

Rgb Texture::at(double u, double v) const {
  const int x = std::min(int(wrap(u) * width), width - 1);
  const int y = std::min(int((1 - wrap(v)) * height), height - 1);
  return pixels[size_t(y) * width + x];
}

void Materials::add_file(const std::string& name) {
  const auto text = files_(name);
  if (!text) return;
  Material* current = nullptr;
  int64_t line_number = 0;
  for (const auto& line : split(*text, '\n')) {
    add_line(line, cat(name, ":", ++line_number), current);
  }
}

void Materials::add_line(const std::string& line, const std::string& where, Material*& current) {
  ObjLine words(line, where);
  const std::string_view key = words.word();
  if (key == "newmtl") {
    current = &(materials_[std::string(words.rest())] = Material());
  } else if (!current) {
    return;
  } else if (key == "Kd") {
    for (double& channel : current->diffuse) channel = std::clamp(words.number(), 0.0, 1.0);
  } else if (key == "d") {
    current->opacity = words.number();
  } else if (key == "map_Kd") {
    current->texture = texture(std::string(words.rest()));
  }
}

const Material& Materials::find(const std::string& name) const {
  static const Material grey;
  const auto found = materials_.find(name);
  return found == materials_.end() ? grey : found->second;
}

// Some models name an absolute path of their author's machine: the base name is tried as well.
std::shared_ptr<const Texture> Materials::texture(const std::string& name) {
  const auto known = textures_.find(name);
  if (known != textures_.end()) return known->second;
  auto bytes = files_(name);
  const size_t slash = name.find_last_of("/\\");
  if (!bytes && slash != name.npos) bytes = files_(name.substr(slash + 1));
  return textures_[name] = bytes && !bytes->empty() ? decode(*bytes) : nullptr;
}

}  // namespace switchyard::scan
