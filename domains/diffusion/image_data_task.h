#pragma once

#include "datasets/domain_plan.h"
#include "domains/diffusion/batch.h"

namespace switchyard {

/// Which pictures a task is about.
struct ImageDataParams {
  std::vector<std::string> train_domains, test_domains, left_out;
  std::string train_split = "train", test_split = "test";
  int64_t images = 64;
  ImageInputParams input;

  /// Adds all to the fields of a struct that inherits from this one.
  template <class S>
  static void declare_data(Fields<S>& f) {
    const auto of = [](auto ImageDataParams::*member) {
      return static_cast<std::remove_cvref_t<decltype(std::declval<S&>().*member)> S::*>(member);
    };
    f.add("train_domains", of(&ImageDataParams::train_domains),
          "domains trained on: NAME, NAME:CLASS or NAME@SPLIT");
    f.add("test_domains", of(&ImageDataParams::test_domains),
          "domains evaluated, unseen ones included");
    f.add("left_out", of(&ImageDataParams::left_out), "cells that training never sees: NAME:CLASS");
    f.add("train_split", of(&ImageDataParams::train_split), "split trained on");
    f.add("test_split", of(&ImageDataParams::test_split), "split evaluated");
    f.add("images", of(&ImageDataParams::images), "images per batch, domains in turn",
          between(1, 65536));
    f.node("input", of(&ImageDataParams::input), "pixels or latents");
  }
};

/// What tasks on pictures share: the node `dataset`, its domains, and batches of them.
class ImageDataTask : public Task {
 public:
  /// Splits: train and test.
  std::unique_ptr<BatchSource> source(const std::string& split) override;
  std::vector<SequenceInfo> sequences(const std::string& split) override;

  std::vector<std::string> domain_names() const override { return data_.test_domains; }
  std::vector<std::string> seen_domains() const override { return plan_.seen(); }
  std::vector<std::string> class_names() const override { return dataset_->info().class_names; }
  /// "channel C at X,Y", pixels of a token.
  std::vector<std::string> channel_names() const override;
  std::string data_hash() const override { return dataset_->info().hash; }
  std::string data_source() const override { return dataset_->info().source; }
  bool synthetic() const override { return dataset_->info().synthetic; }

 protected:
  /// `root`: the resolved config; reads nodes seed and dataset. `times`: visits of every test
  /// image, at evenly spread times.
  ImageDataTask(const ImageDataParams& data, const ConfigNode& root, int64_t times);
  /// Channels of an image, and the side of a token.
  virtual int64_t channels() const = 0;
  virtual int64_t patch() const = 0;

  const ImageDataParams& data() const { return data_; }
  const DomainPlan& plan() const { return plan_; }
  const Dataset& dataset() const { return *dataset_; }
  const ImageInput& input() const { return input_; }
  uint64_t seed() const { return seed_; }
  std::vector<std::string> trained_names() const;
  /// Number of a domain for the model; the null domain where training had none of it.
  int64_t condition_of(const std::string& domain) const;
  /// What predict() gives: error_B in the column of the image's class (num, den [S, classes]),
  /// coord [T, 2], label [T], seq_offset [S+1].
  Outputs outputs(const ImageBatch& batch, const at::Tensor& error_B) const;

 private:
  ImageSourceData source_data(DomainIndex index, std::vector<int64_t> ids,
                              const std::vector<DomainSpec>& specs) const;

  ImageDataParams data_;
  DomainPlan plan_;
  uint64_t seed_;
  std::shared_ptr<const Dataset> dataset_;
  ImageInput input_;
  int64_t times_;
};

}  // namespace switchyard
