#pragma once
// The contract between the trainer and a modality. The trainer knows nothing else of either.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/moe/forward_context.h"
#include "core/nn/module.h"
#include "core/train/generator.h"

namespace switchyard {

/// Items of a step, concatenated, never padded. Modalities derive and add their tensors.
struct Batch {
  virtual ~Batch() = default;
  virtual void to(at::Device device) = 0;
  /// Valid input elements at the finest level.
  virtual int64_t tokens() const = 0;
  /// [tokens, channels] input features on the CPU, for the input leak probe.
  virtual at::Tensor features() const = 0;
  /// [tokens] i64 class of every token, negative: unlabelled; undefined if the task has no such
  /// classes.
  virtual at::Tensor labels() const = 0;
  /// [tokens, c] f32 place of every token; undefined if there is none.
  virtual at::Tensor places() const = 0;
  /// [S] f32 in 0 .. 1: where a sequence stands along an order of its own (noise level); undefined
  /// if there is none.
  virtual at::Tensor times() const { return {}; }

  std::vector<std::string> uris;    ///< [S]
  std::vector<std::string> groups;  ///< [S], the exchangeable unit: room, drive, clip, speaker
  std::vector<int64_t> domain_ids;  ///< [S]
};

/// An endless (training) or finite (evaluation) sequence of batches, a pure function of its
/// position.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// nullptr at the end of a finite source.
  virtual std::unique_ptr<Batch> next() = 0;
  /// Batches handed out so far; what a checkpoint stores.
  virtual int64_t state() const = 0;
  virtual void restore(int64_t batches) = 0;
};

/// What a forward pass at evaluation hands to metrics: keyed tensors at the finest level. Either
/// "predicted" [T] and "label" [T], or "num" and "den" [S, classes]: sums whose ratio is the
/// metric.
struct Outputs {
  std::map<std::string, at::Tensor>
      tensors;                            ///< e.g. "logits" [T, K], "label" [T], "seq_offset" [S+1]
  std::vector<std::string> uris, groups;  ///< [S]
  std::vector<int64_t> domain_ids;        ///< [S]
};

/// What is known of a sequence before it is read.
struct SequenceInfo {
  std::string uri, group;
  int64_t domain_id = 0;
};

class Task {
 public:
  virtual ~Task() = default;
  /// Built on the CPU in fp32, initialised; the caller owns it and moves it.
  virtual std::unique_ptr<Module> build_model() = 0;
  /// `split`: "train" is endless and shuffled; any other is finite, in fixed order, not augmented.
  virtual std::unique_ptr<BatchSource> source(const std::string& split) = 0;
  /// All sequences of a finite split, in the order of its source.
  virtual std::vector<SequenceInfo> sequences(const std::string& split) = 0;
  /// Task loss of one batch, without the auxiliary losses that `context` collects. Scalar.
  virtual at::Tensor loss(Module& model, Batch& batch, ForwardContext& context) = 0;
  virtual Outputs predict(Module& model, Batch& batch, ForwardContext& context) = 0;
  /// Metrics that predict()'s outputs give, the usual primary one first.
  virtual std::vector<std::string> metrics() const = 0;
  /// The task's generator if its models make data, else nullptr.
  virtual Generator* generator() { return nullptr; }

  /// All evaluated domains, in the order of the config; Batch::domain_ids index it.
  virtual std::vector<std::string> domain_names() const = 0;
  /// Those of domain_names() that training draws from.
  virtual std::vector<std::string> seen_domains() const = 0;
  virtual std::vector<std::string> class_names() const = 0;
  /// Names of the input features of a token.
  virtual std::vector<std::string> channel_names() const = 0;
  /// Parts of the model other than routers that read a sequence's data domain at evaluation (norms,
  /// a head): with one, the model is an oracle.
  virtual std::vector<std::string> domain_readers() const { return {}; }
  /// Identifies the data (shard hashes), for provenance and for refusing a wrong resume.
  virtual std::string data_hash() const = 0;
  /// Public name of the data; tables and the report quote it.
  virtual std::string data_source() const = 0;
  virtual bool synthetic() const = 0;
};

}  // namespace switchyard
