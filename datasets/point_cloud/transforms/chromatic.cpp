#include "datasets/point_cloud/transforms/chromatic.h"

namespace switchyard {
namespace {

constexpr double kWhite = 255;

double clip(double value) { return std::clamp(value, 0., kWhite); }

struct AutoContrastParams {
  double p = .2;
  static void declare(Fields<AutoContrastParams>& f) {
    f.add("p", &AutoContrastParams::p, "probability", between(0, 1));
  }
};

class AutoContrast : public PointTransform {
 public:
  explicit AutoContrast(const AutoContrastParams& params) : params_(params) {}
  void apply(Sample& sample, RandomStream& stream) const override {
    if (stream.chance(params_.p)) auto_contrast(rows_of(sample, "color"), stream.uniform());
  }

 private:
  AutoContrastParams params_;
};

struct TranslationParams {
  double p = .95, ratio = .05;
  static void declare(Fields<TranslationParams>& f) {
    f.add("p", &TranslationParams::p, "probability", between(0, 1));
    f.add("ratio", &TranslationParams::ratio, "largest shift as a share of the range",
          between(0, 1));
  }
};

class ChromaticTranslation : public PointTransform {
 public:
  explicit ChromaticTranslation(const TranslationParams& params) : params_(params) {}
  void apply(Sample& sample, RandomStream& stream) const override {
    if (!stream.chance(params_.p)) return;
    Row3 draw;
    for (double& channel : draw) channel = stream.uniform();
    chromatic_translation(rows_of(sample, "color"), draw, params_.ratio);
  }

 private:
  TranslationParams params_;
};

struct ChromaticJitterParams {
  double p = .95, std = .005;
  static void declare(Fields<ChromaticJitterParams>& f) {
    f.add("p", &ChromaticJitterParams::p, "probability", between(0, 1));
    f.add("std", &ChromaticJitterParams::std, "standard deviation as a share of the range",
          at_least(0));
  }
};

class ChromaticJitter : public PointTransform {
 public:
  explicit ChromaticJitter(const ChromaticJitterParams& params) : params_(params) {}
  void apply(Sample& sample, RandomStream& stream) const override {
    if (!stream.chance(params_.p)) return;
    const at::Tensor color = rows_of(sample, "color");
    chromatic_jitter(color, normal_draws(stream, color.size(0), 3), params_.std);
  }

 private:
  ChromaticJitterParams params_;
};

struct NormalizeColorParams {
  static void declare(Fields<NormalizeColorParams>&) {}
};

class NormalizeColor : public PointTransform {
 public:
  void apply(Sample& sample, RandomStream&) const override {
    normalize_color(rows_of(sample, "color"));
  }
  bool random() const override { return false; }
};

}  // namespace

void auto_contrast(const at::Tensor& color_N3, double blend) {
  const Box box = bounding_box(color_N3);
  Row3 gain;
  for (size_t a = 0; a < 3; ++a) {
    const double range = box.high[a] - box.low[a];
    gain[a] = range > 0 ? kWhite / range : 1;
  }
  edit_rows(color_N3, [&](Row3& c, int64_t) {
    for (size_t a = 0; a < 3; ++a)
      c[a] = (1 - blend) * c[a] + blend * (c[a] - box.low[a]) * gain[a];
  });
}

void chromatic_translation(const at::Tensor& color_N3, const Row3& draw, double ratio) {
  edit_rows(color_N3, [&](Row3& c, int64_t) {
    for (size_t a = 0; a < 3; ++a) c[a] = clip(c[a] + (2 * draw[a] - 1) * kWhite * ratio);
  });
}

void chromatic_jitter(const at::Tensor& color_N3, const at::Tensor& noise_N3, double std) {
  const double* noise = noise_N3.const_data_ptr<double>();
  edit_rows(color_N3, [&](Row3& c, int64_t) {
    for (size_t a = 0; a < 3; ++a) c[a] = clip(c[a] + *noise++ * std * kWhite);
  });
}

void normalize_color(const at::Tensor& color_N3) {
  edit_rows(color_N3, [](Row3& c, int64_t) {
    for (size_t a = 0; a < 3; ++a) c[a] = c[a] / 127.5 - 1;
  });
}

void register_chromatic() {
  Registry<PointTransform>& registry = point_transforms();
  registry.add<AutoContrastParams>(
      "chromatic_auto_contrast", "blend with the contrast-stretched colors",
      [](const AutoContrastParams& p) { return std::make_unique<AutoContrast>(p); });
  registry.add<TranslationParams>(
      "chromatic_translation", "add one random color",
      [](const TranslationParams& p) { return std::make_unique<ChromaticTranslation>(p); });
  registry.add<ChromaticJitterParams>(
      "chromatic_jitter", "add normal noise to every color",
      [](const ChromaticJitterParams& p) { return std::make_unique<ChromaticJitter>(p); });
  registry.add<NormalizeColorParams>(
      "normalize_color", "map 0 .. 255 to -1 .. 1",
      [](const NormalizeColorParams&) { return std::make_unique<NormalizeColor>(); });
}

}  // namespace switchyard
