#include "eval/study/job_gpu.h"

#include "core/base/text.h"

namespace switchyard {

std::string job_gpu(int64_t job, const char* visible, int64_t count) {
  if (count < 2) return {};
  const int64_t at = job % count;
  return visible ? split(visible, ',').at(static_cast<size_t>(at)) : to_text(at);
}

}  // namespace switchyard
