#pragma once
// Lists of labelled images, as text.

#include <filesystem>
#include <map>

#include "datasets/image/image_files.h"

namespace switchyard {

/// Collects listed images and checks what lists say of them.
class ImageList {
 public:
  explicit ImageList(std::filesystem::path root) : root_(std::move(root)) {}

  /// Rows of a CSV file with the columns path, domain, class, label and split in any order.
  void add_csv(const std::filesystem::path& file);
  /// "PATH LABEL" per line, all of one domain and split; the class is the path's folder.
  void add_lines(const std::filesystem::path& file, const std::string& domain,
                 const std::string& split);

  const std::vector<ImageFile>& files() const { return files_; }
  /// By label. Error: labels with gaps.
  std::vector<std::string> class_names() const;

 private:
  void add(ImageFile file, const std::string& class_name, const std::string& label,
           const std::string& where);

  std::filesystem::path root_;
  std::vector<ImageFile> files_;
  std::map<int64_t, std::string> class_of_;
  std::map<std::string, int64_t> label_of_;
};

}  // namespace switchyard
