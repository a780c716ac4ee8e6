#pragma once
// Shared by the kernel files: raw-pointer launches, one function per op and device. `..._cpu` lives
// in OP_cpu.cpp, `..._cuda` in OP.cu (or no_cuda.cpp, which throws). No ATen here: .cu files
// include it.

#include <cstdint>

namespace switchyard::kernels {

/// Element type of floating data.
enum class DType { Float, Double, BFloat16, Half };
/// Same order as switchyard::Activation.
enum class Act { ReLU, GELU, SiLU, ELU, Mish, LeakyReLU, GELUTanh };

/// Pointers of the slot-major side of an assignment; see core/moe/assignment.h. `scratch` holds
/// slot_sort_scratch(entries, slots) values.
struct SlotSort {
  const int64_t *slot_of, *token_offset;
  int64_t entries, tokens, slots;
  int64_t *slot_offset, *token_of, *position, *entry, *scratch;
};
constexpr int64_t kSortChunk = 1024;
inline int64_t slot_sort_scratch(int64_t entries, int64_t slots) {
  return (entries / kSortChunk + 1) * slots;
}
void slot_sort_cpu(const SlotSort& p);
void slot_sort_cuda(const SlotSort& p, void* stream);

/// The k largest of each row, best first, ties to the lowest column; NaN counts as smallest.
struct TopK {
  const void* scores;  // [rows, columns], Float or Double
  DType dtype;
  int64_t rows, columns, k;
  int64_t* index;  // [rows, k]
};
void top_k_cpu(const TopK& p);
void top_k_cuda(const TopK& p, void* stream);

/// out[a, :] = x[index[a], :].
struct Gather {
  const void* x;
  const int64_t* index;
  DType dtype;
  int64_t rows, width;
  void* out;
};
void gather_rows_cpu(const Gather& p);
void gather_rows_cuda(const Gather& p, void* stream);

/// out[t, :] = sum over entries a of token t, in order, of weight[a] * rows[position[a], :].
struct Combine {
  const void* rows;    // [A, width], slot-major
  const void* weight;  // [A] token-major of the same type, or null: 1
  const int64_t *position, *token_offset;
  DType dtype;
  int64_t tokens, width;
  void* out;
};
void combine_rows_cpu(const Combine& p);
void combine_rows_cuda(const Combine& p, void* stream);

/// Forward: a = act(z) or, gated, act(z[:, :hidden]) * z[:, hidden:]. Row r of z is slot-major.
struct Activate {
  const void* z;  // [rows, hidden or 2 hidden]
  Act act;
  bool gated;
  DType dtype;
  int64_t rows, hidden;
  void* a;  // [rows, hidden]
};
void activate_cpu(const Activate& p);
void activate_cuda(const Activate& p, void* stream);

/// Backward of y = weight * a W, given da = dy W^T without the weight:
/// scaled = weight a; dweight = sum(da a); dz = weight da act'(z).
struct ActivateBackward {
  const void* z;
  const void* da;        // [rows, hidden]
  const void* weight;    // [rows] token-major
  const int64_t* entry;  // [rows] slot-major row -> token-major entry
  Act act;
  bool gated;
  DType dtype;
  int64_t rows, hidden;
  void* dz;       // like z
  void* scaled;   // [rows, hidden]
  void* dweight;  // [rows] token-major
};
void activate_backward_cpu(const ActivateBackward& p);
void activate_backward_cuda(const ActivateBackward& p, void* stream);

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

/// panel[i, :] = x[neighbor[i], :], zeros where neighbor is negative; rows of `row_bytes` bytes.
struct SubmPanel {
  const void* x;
  const int32_t* neighbor;
  int64_t rows, row_bytes;
  void* panel;
};
void subm_panel_cpu(const SubmPanel& p);
void subm_panel_cuda(const SubmPanel& p, void* stream);

}  // namespace switchyard::kernels
