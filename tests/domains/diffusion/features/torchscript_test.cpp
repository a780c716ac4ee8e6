#include "domains/diffusion/features/torchscript_extractor.h"

#include <torch/csrc/jit/api/module.h>

#include "core/base/random.h"
#include "core/io/file.h"
#include "core/io/sha256.h"
#include "tests/test.h"

using namespace switchyard;
using namespace switchyard::test;

namespace {

/// Saves a program whose forward(self, ...) has this signature and body.
std::string saved(const TempDir& folder, const std::string& arguments, const std::string& body) {
  torch::jit::Module module("Features");
  module.define("def forward(self, x: Tensor" + arguments + "):\n  " + body + "\n");
  const auto path = (folder / "features.pt").string();
  module.save(path);
  return path;
}

at::Tensor images(int64_t count, int64_t side = 4) {
  RandomStream stream(1, "images");
  at::Tensor out = at::empty({count, 3, side, side}, at::kByte);
  for (int64_t i = 0; i < out.numel(); ++i)
    out.data_ptr<uint8_t>()[i] = static_cast<uint8_t>(stream.below(256));
  return out;
}

FeatureSet run(const TempDir& folder, const std::string& body, TorchScriptParams params = {},
               const std::string& arguments = "") {
  params.path = saved(folder, arguments, body);
  return TorchScriptExtractor(params).extract(images(5));
}

bool found(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a TorchScript file gives features as tensor, tuple or dictionary",
          "[diffusion][features]") {
  TempDir folder;
  const at::Tensor mean = images(5).to(at::kFloat).mean({2, 3});
  const auto plain = run(folder, "return x.float().mean([2, 3])");
  CHECK(plain.pooled.allclose(mean));
  CHECK_FALSE(plain.spatial.defined());
  const auto kept = run(folder, "return x.float().mean([2, 3], True)");
  CHECK((kept.pooled.sizes() == at::IntArrayRef{5, 3}));
  const auto pair = run(folder, "f = x.float()\n  return f.mean([2, 3]), f");
  CHECK(pair.spatial.equal(images(5).to(at::kFloat)));
  CHECK_FALSE(pair.logits.defined());
  const auto named =
      run(folder, "f = x.double()\n  return {'logits': f[:, :, 0, 0], 'pooled': f.mean([2, 3])}");
  CHECK(named.logits.equal(images(5).slice(2, 0, 1).slice(3, 0, 1).flatten(1).to(at::kFloat)));
  CHECK(named.pooled.scalar_type() == at::kFloat);
}

TEST_CASE("input type, size and flags of a TorchScript file", "[diffusion][features]") {
  TempDir folder;
  TorchScriptParams params;
  const std::string type = "return torch.full([x.size(0), x.size(2)], float(x.dtype == 0))";
  CHECK(run(folder, type).pooled.equal(at::ones({5, 4})));
  params.input = "float", params.resize = 6;
  CHECK(run(folder, type, params).pooled.equal(at::zeros({5, 6})));
  const std::string body =
      "if wanted:\n    return x.float().mean([2, 3])\n  return x.float()[:, :, 0, 0]";
  params = {};
  params.flags = {"wanted"};
  CHECK(run(folder, body, params, ", wanted: bool=False")
            .pooled.allclose(images(5).to(at::kFloat).mean({2, 3})));
  params.flags = {"want"};
  CHECK(found(error_of([&] { run(folder, body, params, ", wanted: bool=False"); }),
              "nearest: wanted"));
}

TEST_CASE("the id of a TorchScript file names its content", "[diffusion][features]") {
  TempDir folder;
  TorchScriptParams params;
  params.path = saved(folder, "", "return x.float().mean([2, 3])");
  const std::string plain = "features-" + sha256_file(params.path).substr(0, 12);
  CHECK(TorchScriptExtractor(params).id() == plain);
  params.resize = 299;
  CHECK(TorchScriptExtractor(params).id() == plain + "-r299");
}

TEST_CASE("bad TorchScript files, outputs and images are named", "[diffusion][features]") {
  TempDir folder;
  const auto error = [&](const std::string& body) { return error_of([&] { run(folder, body); }); };
  CHECK(found(error("return 3"), "outputs: got Int"));
  CHECK(found(error("return x.float()"), "output pooled: got shape [5, 3, 4, 4]"));
  CHECK(found(error("return x.float().mean([2, 3])[:2]"), "for 5 images"));
  CHECK(found(error("return {'pool': x}"), "nearest: pooled"));
  CHECK(found(error("return x.float().mean([2, 3]), 3"), "output spatial: got Int"));
  CHECK(found(error("return x.float().matmul(x.float()[0, 0, 0, :3])"), "the program failed"));
  const auto open = [&](const std::string& path) {
    TorchScriptParams params;
    params.path = path;
    return error_of([&] { TorchScriptExtractor{params}; });
  };
  CHECK(found(open((folder / "none.pt").string()), "none.pt"));
  write_text(folder / "torn.pt", "torn");
  CHECK(found(open((folder / "torn.pt").string()), "is no TorchScript file"));
  TorchScriptParams params;
  params.path = saved(folder, "", "return x.float().mean([2, 3])");
  TorchScriptExtractor extractor(params);
  CHECK(found(error_of([&] { extractor.extract(images(5).to(at::kFloat)); }),
              "got Float [5, 3, 4, 4], expected Byte [B, 3, H, W]"));
  CHECK(found(error_of([&] { extractor.extract(images(5).slice(1, 0, 1)); }), "[5, 1, 4, 4]"));
}
