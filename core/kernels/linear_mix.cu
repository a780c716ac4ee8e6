#include "core/kernels/fused_tile.cuh"

namespace switchyard::kernels {
namespace {

// The weights of all experts lie in shared memory for good. A warpgroup has a tile of 64 tokens at
// a time, and its rows of x and its weights come ahead.

constexpr int kGroups = 5, kTile = 64, kWidth = static_cast<int>(kMixWidth);

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

/// Starts to copy the rows of x of a warpgroup's tile: two threads share a token.
template <class T>
__device__ void start_copy(const LinearMix& p, int64_t tile, T* x) {
  const int row = threadIdx.x % 128 / 2;
  const int64_t token = tile * kTile + row;
  const bool live = token < p.tokens;
  copy_row<kWidth, 2>(static_cast<const T*>(p.x) + (live ? token : 0) * p.channels, row,
                      live ? p.channels : 0, x);
  commit_copies();
}

/// Brings the weights of the experts in a tile, a token by every other thread: where its entries
/// lie is read two tiles ahead, and the first of them one tile ahead.
class PartFeed {
  static constexpr int kAhead = 2;

 public:
  __device__ void read_place(const LinearMix& p, int64_t tile) {
    const int64_t token = tile * kTile + row();
    begin_ = end_ = 0;
    if (threadIdx.x % 2 == 1 || token >= p.tokens) return;
    begin_ = static_cast<int>(p.token_offset[token]);
    end_ = static_cast<int>(p.token_offset[token + 1]);
  }
  __device__ void read_entries(const LinearMix& p) {
    next_ = begin_;
    left_ = end_ - begin_;
#pragma unroll
    for (int i = 0; i < kAhead; ++i) {
      if (i >= left_) break;
      slot_[i] = static_cast<int>(p.slot_of[begin_ + i]);
      weight_[i] = p.weight[begin_ + i];
    }
  }
  __device__ void store(const LinearMix& p, float (&part)[kMixSlots][kTile]) const {
    if (threadIdx.x % 2 == 1) return;
    for (int e = 0; e < p.slots; ++e) part[e][row()] = 0;
#pragma unroll
    for (int i = 0; i < kAhead; ++i)
      if (i < left_) part[slot_[i]][row()] += weight_[i];
    for (int i = kAhead; i < left_; ++i) part[p.slot_of[next_ + i]][row()] += p.weight[next_ + i];
  }

 private:
  __device__ static int row() { return threadIdx.x % 128 / 2; }

  int begin_, end_, next_, left_, slot_[kAhead];
  float weight_[kAhead];
};

/// y += part (z + bias).
template <bool kBias>
__device__ void add_part(const float* part, const float* bias, float (&z)[8][4], float (&y)[8][4]) {
  const float w[2] = {part[sum_row()], part[sum_row() + 8]};
#pragma unroll
  for (int n = 0; n < 8; ++n) {
    float2 b{};
    if (kBias) b = *reinterpret_cast<const float2*>(bias + n * 8 + threadIdx.x % 4 * 2);
#pragma unroll
    for (int i = 0; i < 4; ++i) y[n][i] = fmaf(w[i / 2], z[n][i] + (i % 2 ? b.y : b.x), y[n][i]);
  }
}

/// y of a tile.
template <class T, bool kBias>
__device__ void mix_tile(const MixShared<T>& s, unsigned group, int buffer, int slots,
                         float (&y)[8][4]) {
#pragma unroll
  for (int i = 0; i < 32; ++i) y[i / 4][i % 4] = 0;
#pragma unroll 1
  for (int e = 0; e < slots; ++e) {
    float z[8][4];
    begin_products();
    multiply<T>(z, Along(s.x[group][buffer]), Along(s.weight[e]), false);
    commit_products();
    wait_products<0>();
    add_part<kBias>(s.part[group][buffer][e], s.bias[e], z, y);
  }
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

template <class T, bool kBias>
__global__ __launch_bounds__(128 * kGroups, 1) void mix(LinearMix p) {
  extern __shared__ __align__(1024) unsigned char bytes[];
  auto& s = *reinterpret_cast<MixShared<T>*>(bytes);
  const unsigned group = group_index();
  const int64_t step = static_cast<int64_t>(gridDim.x) * kGroups;
  int64_t tile = blockIdx.x * static_cast<int64_t>(kGroups) + group;
  PartFeed feed;
  start_copy(p, tile, s.x[group][0]);
  feed.read_place(p, tile);
  feed.read_entries(p);
  feed.read_place(p, tile + step);
  copy_experts(p, s);
  feed.store(p, s.part[group][0]);
  wait_copies<0>();
  publish_operands();
  __syncthreads();
  for (int buffer = 0; tile * kTile < p.tokens; tile += step, buffer ^= 1) {
    start_copy(p, tile + step, s.x[group][buffer ^ 1]);
    feed.read_entries(p);
    feed.read_place(p, tile + 2 * step);
    float y[8][4];
    mix_tile<T, kBias>(s, group, buffer, static_cast<int>(p.slots), y);
    feed.store(p, s.part[group][buffer ^ 1]);
    write_tile(p, group, tile, y, s.x[group][buffer]);
    wait_copies<0>();
    publish_operands();
    sync_group(group);
  }
}

template <class T, bool kBias>
void run_mix(const LinearMix& p, void* stream) {
  constexpr size_t kBytes = sizeof(MixShared<T>);
  static_assert(kBytes <= kSharedPerBlock);
  allow_shared(mix<T, kBias>, kBytes);
  const int64_t blocks = (p.tokens + kTile * kGroups - 1) / (kTile * kGroups),
                most = device_attribute(cudaDevAttrMultiProcessorCount);
  mix<T, kBias><<<static_cast<unsigned>(std::min(blocks, most)), 128 * kGroups, kBytes,
                  static_cast<cudaStream_t>(stream)>>>(p);
}

}  // namespace

void linear_mix_cuda(const LinearMix& p, void* stream) {
  if (p.tokens == 0) return;
  const auto run = [&](auto type) {
    using T = typename decltype(type)::type;
    p.bias ? run_mix<T, true>(p, stream) : run_mix<T, false>(p, stream);
  };
  p.dtype == DType::Half ? run(TypeTag<__half>{}) : run(TypeTag<__nv_bfloat16>{});
}

}  // namespace switchyard::kernels
