#pragma once
// Scores of generated images per data domain and per cell (data domain, class), under the features
// of one extractor.

#include <functional>

#include "eval/study/generative_metrics.h"
#include "eval/study/results.h"

namespace switchyard {

/// An empty class stands for the whole domain.
struct ImageCell {
  std::string domain, class_name;
  auto operator<=>(const ImageCell&) const = default;
  /// "sketch", "sketch/dog"
  std::string name() const { return class_name.empty() ? domain : domain + "/" + class_name; }
};

struct GenerativeScore {
  std::string metric;  ///< "fid@features=<extractor>"
  ImageCell cell;
  int64_t samples = 0;
  GenerativeValue score;
};

class GenerativeScores {
 public:
  GenerativeScores(std::string extractor, GenerativeParams params)
      : extractor_(std::move(extractor)), params_(std::move(params)) {}

  /// Real images of a cell; once each. Error: given twice.
  void add_reference(const ImageCell& cell, ReferenceFeatures reference);
  /// A batch of generated images of a cell.
  void add_samples(const ImageCell& cell, const FeatureSet& batch);
  /// Every metric of every domain that has samples, and of its cells. A domain is compared with its
  /// own reference where one was given, else with those of the cells that have samples together; a
  /// cell without a reference has no row. Errors: a domain without any; see generative_values.
  std::vector<GenerativeScore> compute() const;

 private:
  struct Rows {
    std::vector<at::Tensor> pooled, spatial, logits;
    int64_t count = 0;
    void add(const Rows& other);
    SampleFeatures joined(const std::string& where) const;
  };
  std::vector<ImageCell> sampled_cells(const std::string& domain) const;
  void score_domain(const std::string& domain, std::vector<GenerativeScore>& out) const;
  void score(const ImageCell& cell, const ReferenceFeatures& reference, const Rows& rows,
             const std::string& warning, std::vector<GenerativeScore>& out) const;
  ReferenceFeatures pooled_reference(const std::vector<ImageCell>& cells) const;
  std::string mix_warning(const std::vector<ImageCell>& cells) const;

  std::string extractor_;
  GenerativeParams params_;
  std::map<ImageCell, ReferenceFeatures> references_;
  std::map<ImageCell, Rows> samples_;
};

enum class ScoreLevel { Domain, Cell };

/// One table per metric, of whole domains or of cells (TableRow::domain is the cell's name). Rows
/// start as `common`; `seen` tells whether training saw a domain or cell.
std::vector<ResultTable> generative_tables(const std::vector<GenerativeScore>& scores,
                                           ScoreLevel level, const std::string& protocol,
                                           const TableRow& common,
                                           const std::function<bool(const ImageCell&)>& seen);

}  // namespace switchyard
