#pragma once
// Loops over rows, compiled for several vector widths: the CPU's widest runs.

#include <ATen/Parallel.h>
#include <ATen/Version.h>

// A function in such a loop; one that is not inlined stays narrow.
#define SWITCHYARD_INLINE [[gnu::always_inline]] inline

#if defined(__x86_64__)
#define SWITCHYARD_AVX2 [[gnu::target("avx2,fma")]]
#define SWITCHYARD_AVX512 [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,fma")]]
#else
#define SWITCHYARD_AVX2
#define SWITCHYARD_AVX512
#endif

namespace switchyard::kernels {

template <class Loop, class P>
SWITCHYARD_AVX2 void loop_avx2(const P& p, int64_t begin, int64_t end) {
  Loop::run(p, begin, end);
}
template <class Loop, class P>
SWITCHYARD_AVX512 void loop_avx512(const P& p, int64_t begin, int64_t end) {
  Loop::run(p, begin, end);
}

/// Runs Loop::run(p, begin, end), a SWITCHYARD_INLINE function, for parts of 0 .. rows-1. The width
/// is torch's: ATEN_CPU_CAPABILITY=default or avx2 in the environment narrows it.
template <class Loop, class P>
void run_widest(const P& p, int64_t rows, int64_t grain) {
  static const std::string level = at::get_cpu_capability();
  const auto run = level == "AVX512" ? loop_avx512<Loop, P>
                   : level == "AVX2" ? loop_avx2<Loop, P>
                                     : Loop::run;
  at::parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) { run(p, begin, end); });
}

}  // namespace switchyard::kernels
