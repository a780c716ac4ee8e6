#include "domains/diffusion/model/dit_params.h"

namespace switchyard {

void DitParams::declare(Fields<DitParams>& f) {
  f.add("input_size", &DitParams::input_size, "side of the latent or image", at_least(1));
  f.add("patch_size", &DitParams::patch_size, "side of a patch", at_least(1));
  f.add("in_channels", &DitParams::in_channels, "channels of the latent or image", at_least(1));
  f.add("hidden_size", &DitParams::hidden_size, "width, a multiple of 4", between(4, 2048));
  f.add("depth", &DitParams::depth, "blocks", at_least(1));
  f.add("num_heads", &DitParams::num_heads, "attention heads", at_least(1));
  f.add("head_dim", &DitParams::head_dim, "width of a head; null: hidden_size / num_heads",
        at_least(1));
  f.add("mlp_ratio", &DitParams::mlp_ratio, "hidden width of a dense MLP / hidden_size",
        at_least(0));
  f.add("qk_norm", &DitParams::qk_norm, "layer norm of queries and keys");
  f.add("learn_sigma", &DitParams::learn_sigma, "predict a variance too");
  f.add("num_classes", &DitParams::num_classes,
        "classes; this number itself means none; null: those of the data", at_least(1));
  f.add("num_domains", &DitParams::num_domains,
        "data domains of a second condition; this number itself means none; 0: no such condition; "
        "null: those trained on",
        at_least(0));
  f.add("class_dropout_prob", &DitParams::class_dropout_prob,
        "share of the labels (and of the domains) dropped in training", between(0, 1));
  f.add("interleave", &DitParams::interleave, "mixtures in every second block; false: in all");
  f.add("moe", &DitParams::moe, "MoEConfig of site mlp, alone or below that name; null: dense");
}

void DitParams::validate() const {
  check(num_classes.has_value(), "model.num_classes", "got null, expected a number");
  check(num_domains.has_value(), "model.num_domains", "got null, expected a number");
  check(input_size % patch_size == 0, "model.input_size", "got ", input_size,
        ", expected a multiple of patch_size ", patch_size);
  check(hidden_size % 4 == 0, "model.hidden_size", "got ", hidden_size,
        ", expected a multiple of 4");
  check(head_dim || hidden_size % num_heads == 0, "model.num_heads", "got ", num_heads,
        ", expected a divisor of hidden_size ", hidden_size);
}

bool DitParams::is_moe(int64_t block) const {
  return !moe.is_null() && (!interleave || block % 2 == 1);
}

}  // namespace switchyard
