#include "core/train/tensor_files.h"

#include <ATen/core/grad_mode.h>

#include <set>

namespace switchyard {

void load_exact(const SafeTensors& file, const NamedTensors& targets) {
  at::NoGradGuard no_grad;
  const std::string where = file.path().string();
  std::set<std::string> known;
  for (const auto& [name, target] : targets) {
    known.insert(name);
    check(file.has(name), where, "tensor is missing: expected '", name, "'");
    const at::Tensor value = file.get(name);
    check(value.sizes() == target.sizes(), where + ":" + name, "wrong shape: got ",
          to_text(value.sizes().vec()), ", expected ", to_text(target.sizes().vec()));
    at::Tensor(target).copy_(value);
  }
  for (const std::string& name : file.names()) {
    check(known.count(name) > 0, where, "tensor is unknown to the model: got '", name, "'");
  }
}

}  // namespace switchyard
