#pragma once

#include <cstdint>
#include <string>

namespace switchyard {

/// What CUDA_VISIBLE_DEVICES is for a job of a study: the jobs take the `count` GPUs that the
/// program sees in turn (job 0, the process that was called, has the first). `visible`: the
/// program's own CUDA_VISIBLE_DEVICES, null where it is not set. Empty: leave it, there are fewer
/// than two GPUs.
std::string job_gpu(int64_t job, const char* visible, int64_t count);

}  // namespace switchyard
