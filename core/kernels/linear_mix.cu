#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {
namespace {

// The weights of all experts lie in shared memory for good. A warpgroup has a tile of 64 tokens at
// a time, and its rows of x and its weights come one tile ahead.

constexpr int kGroups = 4, kTile = 64, kWidth = static_cast<int>(kMixWidth);

template <class T>
struct alignas(1024) MixShared {
  T weight[kMixSlots][kBlockSize];  // [outputs, channels]
  T x[kGroups][2][kBlockSize];      // of this tile and the next
  float bias[kMixSlots][kWidth];
  float part[kGroups][2][kMixSlots][kTile];  // of every expert in a token
};

/// Copies the weights and biases of all experts.
template <class T>
__device__ void copy_experts(const LinearMix& p, MixShared<T>& s) {
  for (int e = 0; e < p.slots; ++e)
    copy_matrix<kTile, kWidth, 128 * kGroups>(
        static_cast<const T*>(p.in) + e * p.width * p.channels, p.channels, p.width, p.channels,
        s.weight[e]);
  commit_copies();
  for (int i = threadIdx.x; i < p.slots * kWidth; i += 128 * kGroups) {
    const int e = i / kWidth, d = i % kWidth;
    const bool there = p.bias && d < p.width;
    s.bias[e][d] = there ? load(static_cast<const T*>(p.bias) + e * p.width + d) : 0.f;
  }
}

/// Brings the next tile of a warpgroup: two threads share a token.
template <class T>
__device__ void start_tile(const LinearMix& p, MixShared<T>& s, unsigned group, int buffer,
                           int64_t tile) {
  const int row = threadIdx.x % 128 / 2;
  const int64_t token = tile * kTile + row;
  const bool live = token < p.tokens;
  copy_row<kWidth, 2>(static_cast<const T*>(p.x) + (live ? token : 0) * p.channels, row,
                      live ? p.channels : 0, s.x[group][buffer]);
  commit_copies();
  if (threadIdx.x % 2 == 1) return;
  auto& part = s.part[group][buffer];
  for (int e = 0; e < p.slots; ++e) part[e][row] = 0;
  if (!live) return;
  const int64_t end = p.token_offset[token + 1];
  for (int64_t a = p.token_offset[token]; a < end; ++a) part[p.slot_of[a]][row] += p.weight[a];
}

/// Starts z = x W^T.
template <class T>
__device__ void start_product(const T* x, const T* weight, float (&z)[8][4]) {
  begin_products();
  multiply<T>(z, Along(x), Along(weight), false);
  commit_products();
}

/// y += part (z + bias).
__device__ inline void add_part(const float* part, const float* bias, const float (&z)[8][4],
                                float (&y)[8][4]) {
  const float w[2] = {part[sum_row()], part[sum_row() + 8]};
#pragma unroll
  for (int n = 0; n < 8; ++n) {
    const auto b = *reinterpret_cast<const float2*>(bias + n * 8 + threadIdx.x % 4 * 2);
#pragma unroll
    for (int i = 0; i < 4; ++i) y[n][i] = fmaf(w[i / 2], z[n][i] + (i % 2 ? b.y : b.x), y[n][i]);
  }
}

/// y of a tile: the products of an expert run while those of the last one are added.
template <class T>
__device__ void mix_tile(const MixShared<T>& s, unsigned group, int buffer, int slots,
                         float (&y)[8][4]) {
  const T* x = s.x[group][buffer];
  const auto& part = s.part[group][buffer];
  float even[8][4], odd[8][4];
#pragma unroll
  for (int i = 0; i < 32; ++i) y[i / 4][i % 4] = 0;
  start_product(x, s.weight[0], even);
#pragma unroll 1
  for (int e = 0; e < slots; e += 2) {
    start_product(x, s.weight[min(e + 1, slots - 1)], odd);
    wait_products<1>();
    add_part(part[e], s.bias[e], even, y);
    start_product(x, s.weight[min(e + 2, slots - 1)], even);
    wait_products<1>();
    if (e + 1 < slots) add_part(part[e + 1], s.bias[e + 1], odd, y);
  }
  wait_products<0>();
}

/// Writes the sums of a tile through its rows of x.
template <class T>
__device__ void write_tile(const LinearMix& p, unsigned group, int64_t tile, const float (&y)[8][4],
                           T* panel) {
  sync_group(group);
  store_sums(y, 0, panel);
  sync_group(group);
  const int unit = threadIdx.x % 8;
  const int64_t begin = tile * kTile;
#pragma unroll
  for (int row = threadIdx.x % 128 / 8; row < kTile; row += 16)
    if (begin + row < p.tokens && unit * 8 < p.width)
      *reinterpret_cast<uint4*>(static_cast<T*>(p.y) + (begin + row) * p.width + unit * 8) =
          *reinterpret_cast<const uint4*>(panel + swizzled(row, unit));
}

template <class T>
__global__ __launch_bounds__(128 * kGroups, 1) void mix(LinearMix p) {
  extern __shared__ __align__(1024) unsigned char bytes[];
  auto& s = *reinterpret_cast<MixShared<T>*>(bytes);
  const unsigned group = group_index();
  const int64_t step = static_cast<int64_t>(gridDim.x) * kGroups;
  const int64_t first = blockIdx.x * static_cast<int64_t>(kGroups) + group;
  copy_experts(p, s);
  start_tile(p, s, group, 0, first);
  wait_copies<0>();
  publish_operands();
  __syncthreads();
  int buffer = 0;
  for (int64_t tile = first; tile * kTile < p.tokens; tile += step, buffer ^= 1) {
    start_tile(p, s, group, buffer ^ 1, tile + step);
    float y[8][4];
    mix_tile(s, group, buffer, static_cast<int>(p.slots), y);
    write_tile(p, group, tile, y, s.x[group][buffer]);
    wait_copies<0>();
    publish_operands();
    sync_group(group);
  }
}

}  // namespace

void linear_mix_cuda(const LinearMix& p, void* stream) {
  if (p.tokens == 0) return;
  const auto run = [&](auto type) {
    using T = typename decltype(type)::type;
    constexpr size_t kBytes = sizeof(MixShared<T>);
    static_assert(kBytes <= kSharedPerBlock);
    allow_shared(mix<T>, kBytes);
    const int64_t blocks = (p.tokens + kTile * kGroups - 1) / (kTile * kGroups);
    const unsigned most = static_cast<unsigned>(device_attribute(cudaDevAttrMultiProcessorCount));
    mix<T><<<std::min(static_cast<unsigned>(blocks), most), 128 * kGroups, kBytes,
             static_cast<cudaStream_t>(stream)>>>(p);
  };
  p.dtype == DType::Half ? run(TypeTag<__half>{}) : run(TypeTag<__nv_bfloat16>{});
}

}  // namespace switchyard::kernels
