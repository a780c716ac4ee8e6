#pragma once
// Samples that the evaluation kept (schema "switchyard.samples/1", written by
// eval/study/samples.h).

#include <filesystem>
#include <optional>

#include "core/io/json.h"
#include "core/io/safetensors.h"
#include "eval/analysis/stats.h"

namespace switchyard {

struct KeptSample {
  std::string uri, domain, group, why;
  IndexTable expert;  ///< [site][N] first choice of every token, -1 none
};

/// Errors of all members: damaged file, shapes that do not fit.
class SampleFile {
 public:
  /// Nothing if the file is missing.
  static std::optional<SampleFile> open(const std::filesystem::path& path);

  const std::string& selection() const { return selection_; }
  const std::vector<std::string>& sites() const { return sites_; }
  /// Prefixes ("sample3.") of the samples of a kind.
  const std::vector<std::string>& of_kind(const std::string& kind) const;
  KeptSample sample(const std::string& prefix) const;
  /// f32 [N, columns] place of every token.
  std::vector<float> coord(const std::string& prefix, int64_t columns) const;
  at::Tensor tensor(const std::string& name) const { return file_.get(name); }
  std::string where(const std::string& prefix) const;

 private:
  explicit SampleFile(SafeTensors file) : file_(std::move(file)) {}
  void read_head();

  SafeTensors file_;
  std::string selection_;
  std::vector<std::string> sites_;
  std::map<std::string, std::vector<std::string>> prefixes_;  // by kind
  std::map<std::string, KeptSample> samples_;                 // by prefix, without experts
};

}  // namespace switchyard
