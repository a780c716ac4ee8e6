#pragma once
// Shared by the kernel files: raw-pointer launches, one function per op and device. `..._cpu` lives
// in OP_cpu.cpp, `..._cuda` in OP.cu (or no_cuda.cpp, which throws). No ATen here: .cu files
// include it.

#include <algorithm>
#include <cstdint>

// A function for the CPU and for kernels.
#ifdef __CUDACC__
#define SWITCHYARD_BOTH __host__ __device__ inline
#else
#define SWITCHYARD_BOTH inline
#endif

namespace switchyard::kernels {

/// Element type of floating data.
enum class DType { Float, Double, BFloat16, Half };
/// Same order as switchyard::Activation.
enum class Act { ReLU, GELU, SiLU, ELU, Mish, LeakyReLU, GELUTanh };

/// Pointers of the slot-major side of an assignment; see core/moe/assignment.h. Entry a belongs to
/// token a / k; where k is 0 the token is found in token_offset. A block works on `chunk` entries;
/// `count` [slot_sort_pairs, slot_sort_chunks] is scratch: two slots each. Fewer than 2^31 entries.
struct SlotSort {
  const int64_t *slot_of, *token_offset;
  int64_t entries, tokens, slots, k, chunk;
  int64_t *slot_offset, *token_of, *position, *entry;
  uint32_t* count;
};
constexpr int64_t kSlotSortMost = 1 << 13;  // items of a block
/// Items of each of at most `blocks` blocks, at least `least`; more blocks where kSlotSortMost asks
/// for them. Every block reads all counts: few blocks, one or two per multiprocessor.
inline int64_t slot_sort_chunk(int64_t items, int64_t blocks, int64_t least) {
  return std::clamp(((items + blocks - 1) / blocks + 31) / 32 * 32, least, kSlotSortMost);
}
inline int64_t slot_sort_pairs(int64_t slots) { return (slots + 1) / 2; }
inline int64_t slot_sort_chunks(const SlotSort& p) {
  return p.entries == 0 ? 0 : (p.entries + p.chunk - 1) / p.chunk;
}
void slot_sort_cpu(const SlotSort& p);
void slot_sort_cuda(const SlotSort& p, void* stream);

/// Same order as switchyard::Score.
enum class ScoreKind { Softmax, Sigmoid, Identity };
/// The whole decision of a top-k router. sort.slot_of and sort.token_offset are written too. The
/// tokens of sequences with `routed` false (k = 1) go to slot `columns` with weight 1.
struct Route {
  const void* logits;  // [tokens, columns], Float or Double
  DType dtype;
  ScoreKind kind;
  bool renormalise;
  int64_t columns;
  const bool* routed;         // [sequences] or null: all true
  const int64_t* seq_offset;  // [sequences + 1] where `routed` is there
  int64_t sequences;
  void* scores;  // like logits; on a GPU null: not wanted
  void* weight;  // [tokens, k]
  int64_t *slot_of, *token_offset;
  SlotSort sort;
};
constexpr int64_t kRouteSlots = 1024, kRouteBest = 32;
/// Up to that many columns a thread takes a token, else a warp.
constexpr int64_t kRouteThreadColumns = 16;
/// Tokens of a block: one block per multiprocessor of an H100, or two.
inline int64_t route_chunk(int64_t tokens, int64_t columns) {
  return columns <= kRouteThreadColumns ? slot_sort_chunk(tokens, 264, 512)
                                        : slot_sort_chunk(tokens, 132, 32);
}
void route_cpu(const Route& p);
void route_cuda(const Route& p, void* stream);

struct RouteBackward {
  const void *logits, *dscores;  // [tokens, columns]; dscores may be null: zero
  const void *weight, *dweight;  // [tokens, k]; dweight may be null: zero
  const int64_t* slot_of;        // a slot behind the columns has no gradient
  DType dtype;
  ScoreKind kind;
  bool renormalise;
  int64_t tokens, columns, k;
  void* dlogits;
};
void route_backward_cpu(const RouteBackward& p);
void route_backward_cuda(const RouteBackward& p, void* stream);

/// The k largest of each row, best first, ties to the lowest column; NaN counts as smallest.
struct TopK {
  const void* scores;  // [rows, columns], Float or Double
  DType dtype;
  int64_t rows, columns, k;
  int64_t* index;  // [rows, k]
};
void top_k_cpu(const TopK& p);
void top_k_cuda(const TopK& p, void* stream);

/// out[a, :] = x[index[a], :], rows of `row_bytes` bytes.
struct Gather {
  const void* x;
  const int64_t* index;
  int64_t rows, row_bytes;
  void* out;
};
void gather_rows_cpu(const Gather& p);
void gather_rows_cuda(const Gather& p, void* stream);

/// out[t, :] = sum over entries a of token t, in order, of
/// weight[a] * (rows[position[a], :] + bias[slot_of[a], :]).
struct Combine {
  const void* rows;    // [A, width], slot-major
  const void* weight;  // [A] token-major, float (for double rows double), or null: 1
  const void* bias;    // [slots, width] or null: 0
  const int64_t *position, *token_offset, *slot_of;
  DType dtype;
  int64_t entries, tokens, width;
  void* out;
  bool only_rows_are_new;  // all else was there before the kernel that is launched before
};
void combine_rows_cpu(const Combine& p);
void combine_rows_cuda(const Combine& p, void* stream);

/// The activation of z + bias. Row r of z is slot-major: that of token-major entry entry[r].
struct Activate {
  const void* z;     // [rows, hidden or 2 hidden]
  const void* bias;  // [slots, like z] or null: 0
  const int64_t *entry, *slot_of;
  Act act;
  bool gated;
  DType dtype;
  int64_t rows, hidden;
  void* a;  // [rows, hidden]: act(z) or, gated, act(z[:, :hidden]) * z[:, hidden:]
};
void activate_cpu(const Activate& p);
void activate_cuda(const Activate& p, void* stream);

/// Backward of y = weight * a W, given da = dy W^T without the weight:
/// scaled = weight a; dweight = sum(da a); dz = weight da act'(z).
struct ActivateBackward {
  Activate forward;    // its `a` is not used
  const void* da;      // [rows, hidden]
  const void* weight;  // [rows] token-major, float (for double z double)
  void* dz;            // like z
  void* scaled;        // [rows, hidden]
  void* dweight;       // like weight
};
void activate_backward_cpu(const ActivateBackward& p);
void activate_backward_cuda(const ActivateBackward& p, void* stream);

/// Experts of a MLP in one kernel: the hidden activation stays on the chip. GPU only, half types,
/// channels and width at most 256, all three widths multiples of 8, at most 1024 slots.
struct FusedMlp {
  const void *x, *in, *in_bias, *out;  // [T, C], [E, N1, C], [E, N1] or null, [E, D, H]
  const int64_t *token_of, *slot_offset, *entry;
  DType dtype;
  Act act;  // ReLU, GELU, SiLU or GELUTanh
  bool gated;
  int64_t entries, slots, channels, hidden, width;
  void* rows;  // [A, D], slot-major, without the bias of the second layer
  // [A], and [E, D] or null, where every token has exactly one entry: `rows` is then the result,
  // weight (row + bias) in the place of the token. Else null. Half types only.
  const float* weight = nullptr;
  const void* out_bias = nullptr;
};
void fused_mlp_cuda(const FusedMlp& p, void* stream);
/// Whether the current device has what they need: compute capability 9.0.
bool fused_mlp_cuda_runs();
/// The same in float, of all GPUs: no tensor cores, all sums in float.
void fused_simt_cuda(const FusedMlp& p, void* stream);
/// Experts of one linear map likewise, rows = x in^T: `in` is [E, hidden, C], `rows` [A, hidden];
/// `out` is null and `width` 0. Channels and hidden at most 256.
void fused_linear_cuda(const FusedMlp& p, void* stream);
void fused_simt_linear_cuda(const FusedMlp& p, void* stream);

/// Its backward pass, the hidden activation recomputed. Row r has the weight weight[entry[r]].
/// `blocks` of rows times `slices` of the hidden axis work side by side: the latter leave shares of
/// dx.rows and dot, the former shares of the gradients of the experts' weights, one per block and
/// expert. All shares are added in order.
struct FusedGrid {
  int64_t blocks, slices;
};
struct FusedMlpBackward {
  FusedMlp forward;     // its `rows` is not used
  const void* dy;       // [T, D]
  const float* weight;  // [A] token-major
  Combine dx;           // of rows [slices, A, C], scratch; its weight and bias are null. Of linear
                        // experts its rows may be null and its tokens 0 where every token has
                        // exactly one entry and slices is 1: its rows then go to their tokens
  float* dot;           // [slices, A], slot-major: scratch
  float* dweight;       // [A] token-major
  float *in_parts, *in_bias_parts, *out_parts;  // [blocks + slots, like d_in ...]: scratch
  void *d_in, *d_in_bias, *d_out;               // d_in_bias may be null
};
FusedGrid fused_grid_cuda(const FusedMlp& p);
void fused_mlp_backward_cuda(const FusedMlpBackward& p, const FusedGrid& grid, void* stream);
FusedGrid fused_simt_grid_cuda(const FusedMlp& p);
void fused_simt_backward_cuda(const FusedMlpBackward& p, const FusedGrid& grid, void* stream);
/// For experts of one linear map: dy is [T, hidden].
FusedGrid fused_linear_grid_cuda(const FusedMlp& p);
void fused_linear_backward_cuda(const FusedMlpBackward& p, const FusedGrid& grid, void* stream);
FusedGrid fused_simt_linear_grid_cuda(const FusedMlp& p);
void fused_simt_linear_backward_cuda(const FusedMlpBackward& p, const FusedGrid& grid,
                                     void* stream);

/// y[t] = sum over the entries a of token t of weight[a] (x[t] in[slot]^T + bias[slot]), slot =
/// slot_of[a], by all experts on all tokens. GPU only, half types, widths that are multiples of 8.
struct LinearMix {
  const void *x, *in, *bias;  // [T, C], [E, D, C], [E, D] or null
  const float* weight;        // [A], like the indices token-major
  const int64_t *slot_of, *token_offset;
  DType dtype;
  int64_t tokens, channels, width, slots;
  void* y;  // [T, D]
};
constexpr int64_t kMixWidth = 64, kMixSlots = 12;
void linear_mix_cuda(const LinearMix& p, void* stream);

/// Rows of the voxels around each voxel, by a hash table of mask + 1 cells (a power of two, more
/// than the voxels). `keys`: all bits set. Coordinates and clouds below 2^16.
struct NeighborMap {
  const int64_t *grid, *offset;  // [voxels, 3], [clouds + 1]
  int64_t voxels, clouds, kernel;
  uint64_t* keys;
  int32_t* rows;
  uint64_t mask;
  int32_t* neighbor;  // [voxels, kernel^3]
};
void neighbor_map_cuda(const NeighborMap& p, void* stream);

/// code[i] = (cloud << 3 depth) | position of voxel i along a curve (curve_code.h).
struct CurveCode {
  const int64_t* grid;    // [voxels, 3], each axis below 2^depth
  const int64_t* offset;  // [clouds + 1]
  int64_t voxels, clouds;
  bool hilbert, swaps_xy;
  int depth;
  int64_t* code;
};
void curve_code_cuda(const CurveCode& p, void* stream);

/// panel[i, :] = x[neighbor[i], :], zeros where neighbor is negative; rows of `row_bytes` bytes.
struct SubmPanel {
  const void* x;
  const int32_t* neighbor;
  int64_t rows, row_bytes;
  void* panel;
};
void subm_panel_cpu(const SubmPanel& p);
void subm_panel_cuda(const SubmPanel& p, void* stream);

/// sum = x + gate * branch; out = LN(sum) (1 + scale) + shift, LN over the width without weights.
/// Rows of an image share its gate, shift and scale. Widths are multiples of 4, at most 2048.
struct Modulate {
  const void* x;                     // [images * tokens, width] of `dtype`
  const void* branch;                // like x of `half`, or null: nothing is added
  const void *gate, *shift, *scale;  // [images, width] of `dtype`; gate is null where branch is
  DType dtype, half;                 // the same, or Float and a half type
  int64_t images, tokens, width;
  double eps;
  void* sum;            // like x; not written where branch is null
  void* out;            // like x of `half`
  void *mean, *factor;  // [images * tokens], Double or Float: of the rows, 1 / deviation
};
constexpr int64_t kModulateWidth = 2048;
void modulate_cpu(const Modulate& p);
void modulate_cuda(const Modulate& p, void* stream);

/// Row sums for dshift, dscale and, with a branch, dgate run over `modulate_chunk` tokens each.
struct ModulateBackward {
  Modulate forward;  // its x is the sum; its mean and factor are read
  const void *dsum, *dout;
  void *dx, *dbranch;             // dsum and dbranch are null where branch is
  void *dshift, *dscale, *dgate;  // [images, chunks, width], Double or Float
};
constexpr int64_t kModulateChunk = 16;
constexpr int64_t modulate_chunks(int64_t tokens) {
  return (tokens + kModulateChunk - 1) / kModulateChunk;
}
void modulate_backward_cpu(const ModulateBackward& p);
void modulate_backward_cuda(const ModulateBackward& p, void* stream);

}  // namespace switchyard::kernels
