#include "core/kernels/device_math.cuh"

namespace switchyard::kernels {
namespace {

constexpr uint64_t kFree = ~uint64_t{0};
constexpr int64_t kLimit = 1 << 16;

using Key = unsigned long long;  // what atomicCAS takes

__device__ Key key_of(int64_t cloud, int64_t x, int64_t y, int64_t z) {
  return static_cast<Key>(cloud) << 48 | static_cast<Key>(x) << 32 | static_cast<Key>(y) << 16 |
         static_cast<Key>(z);
}

/// Finaliser of SplitMix64 (Steele, Lea, Flood 2014).
__device__ uint64_t mixed(uint64_t z) {
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ z >> 27) * 0x94D049BB133111EBull;
  return z ^ z >> 31;
}

__global__ void insert(NeighborMap p) {
  const int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  if (i >= p.voxels) return;
  const int64_t* g = p.grid + 3 * i;
  const Key key = key_of(segment_of(p.offset, p.clouds, i), g[0], g[1], g[2]);
  auto* keys = reinterpret_cast<Key*>(p.keys);
  uint64_t at = mixed(key) & p.mask;
  while (true) {
    const Key found = atomicCAS(keys + at, static_cast<Key>(kFree), key);
    if (found == kFree) break;
    at = (at + 1) & p.mask;
  }
  p.rows[at] = static_cast<int32_t>(i);
}

__global__ void find(NeighborMap p) {
  const int64_t index = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x;
  const int64_t k = p.kernel, window = k * k * k;
  if (index >= p.voxels * window) return;
  const int64_t i = index / window, step = index % window;
  const int64_t x = p.grid[3 * i] + step / (k * k) - k / 2,
                y = p.grid[3 * i + 1] + step / k % k - k / 2,
                z = p.grid[3 * i + 2] + step % k - k / 2;
  int32_t row = -1;
  if (x >= 0 && y >= 0 && z >= 0 && x < kLimit && y < kLimit && z < kLimit) {
    const Key key = key_of(segment_of(p.offset, p.clouds, i), x, y, z);
    uint64_t at = mixed(key) & p.mask;
    while (p.keys[at] != kFree && p.keys[at] != key) at = (at + 1) & p.mask;
    if (p.keys[at] == key) row = p.rows[at];
  }
  p.neighbor[index] = row;
}

}  // namespace

void neighbor_map_cuda(const NeighborMap& p, void* stream) {
  const auto queue = static_cast<cudaStream_t>(stream);
  if (p.voxels == 0) return;
  insert<<<blocks_for(p.voxels, kThreads), kThreads, 0, queue>>>(p);
  find<<<blocks_for(p.voxels * p.kernel * p.kernel * p.kernel, kThreads), kThreads, 0, queue>>>(p);
}

}  // namespace switchyard::kernels
