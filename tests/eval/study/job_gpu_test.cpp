#include "eval/study/job_gpu.h"

#include "tests/test.h"

namespace switchyard {

TEST_CASE("jobs of a study take the visible GPUs in turn", "[study]") {
  CHECK(job_gpu(1, nullptr, 0).empty());
  CHECK(job_gpu(1, "3", 1).empty());
  CHECK(job_gpu(1, nullptr, 4) == "1");
  CHECK(job_gpu(4, nullptr, 4) == "0");
  CHECK(job_gpu(6, nullptr, 4) == "2");
  CHECK(job_gpu(1, "5,GPU-7", 2) == "GPU-7");
  CHECK(job_gpu(2, "5,GPU-7", 2) == "5");
}

}  // namespace switchyard
