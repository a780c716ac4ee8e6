#include "core/kernels/route_block.cuh"
#include "core/kernels/route_top_p_launch.h"

namespace switchyard::kernels {
namespace {

/// What a token's weights are divided by. Every lane gets it.
template <class S, class T>
__device__ T divisor(const RouteTopP& p, const Choice<T>* chosen) {
  const int k = static_cast<int>(p.sort.k);
  const auto counted = static_cast<unsigned>(p.keep_share ? p.columns : p.sort.slots);
  T sum = 0;
  int n = 0;
#pragma unroll 1
  for (int j = S::lane(); j < k; j += S::kLanes) {
    if (static_cast<unsigned>(chosen[j].column) >= counted) continue;
    sum += of_key(chosen[j].key);
    ++n;
  }
  sum = group_sum<S>(sum) + T(1e-20);
  return p.renormalise && (group_sum<S>(n) > 1 || p.singles) ? sum : T(1);
}

/// Scores and choices of one token; chosen [k], those that it does not take with column -1, and
/// what they are divided by.
template <class S, class T>
__device__ void choose(const RouteTopP& p, const Part<S, T>& part, int token, T (&score)[S::kPer],
                       Choice<T>* chosen, T* divided_by) {
  to_scores<S>(p.kind, score);
  part.store(p.scores, token, score);
  Candidates<S, T> left(score, part);
  const Choice<T>* const own = chosen;
  Choice<T>* const end = chosen + static_cast<int>(p.sort.k);
  const bool all = p.p >= 1;
  const T bound = static_cast<T>(p.p);
  T sum = 0;
#pragma unroll 1
  do {
    sum += of_key(left.take(chosen++));
  } while (chosen != end && (all || sum < bound));
#pragma unroll 1
  for (; S::lane() == 0 && chosen != end; ++chosen) *chosen = {0, -1};
  if constexpr (S::kLanes > 1) __syncwarp();
  const T by = divisor<S>(p, own);
  if (S::lane() == 0) *divided_by = by;
}

/// Choices and weights of `tokens` tokens from `first` on; adds to count [slots].
template <class S, class T>
__device__ void write_choices(const RouteTopP& p, const Divider& token, int first, int tokens,
                              const Choice<T>* chosen, const T* divided_by, int32_t* count) {
  const int k = static_cast<int>(p.sort.k), slots = static_cast<int>(p.sort.slots);
  T* share = static_cast<T*>(p.share) + int64_t{first} * k;
  int16_t* out = p.chosen + int64_t{first} * k;
#pragma unroll 1
  for (int i = threadIdx.x; i < tokens * k; i += S::kThreads) {
    const Choice<T> own = chosen[i];
    out[i] = static_cast<int16_t>(own.column);
    if (static_cast<unsigned>(own.column) >= static_cast<unsigned>(slots)) continue;
    share[i] = of_key(own.key) / divided_by[token(i)];
    atomicAdd(count + own.column, 1);
  }
}

/// Shared memory: Choice [round, k], T [round], count [slots].
template <class S, class T>
__global__ void __launch_bounds__(S::kThreads, kResident<S, T>)
    route_tokens(RouteTopP p, TokenRounds rounds) {
  extern __shared__ __align__(16) char shared[];
  const Part<S, T> part(static_cast<int>(p.columns), p.logits, p.scores);
  const int k = static_cast<int>(p.sort.k);
  auto* chosen = reinterpret_cast<Choice<T>*>(shared);
  auto* divided_by = reinterpret_cast<T*>(chosen + rounds.round * k);
  auto* count = reinterpret_cast<int32_t*>(divided_by + rounds.round);
  route_block<S, T>(
      p.logits, part, p.sort, rounds, count,
      [&](int t, auto& score, int place) {
        choose<S>(p, part, t, score, chosen + place * k, divided_by + place);
      },
      [&](int first, int tokens) {
        write_choices<S>(p, rounds.token, first, tokens, chosen, divided_by, count);
      });
}

/// Tokens of one round beside its Round, in shared memory: which of a token's choices have entries,
/// and the entries of the tokens before it.
struct RoundTokens {
  uint32_t* taken;
  int32_t* before;
};

/// The slot of choice i, -1 where it has no entry.
__device__ inline int slot_at(const RouteTopP& p, const int16_t* chosen, int i) {
  const int column = chosen[i];
  return column < static_cast<int>(p.sort.slots) ? column : -1;
}

/// Sets the bits of the choices that have entries, and `taken`.
__device__ inline void mark_choices(const RouteTopP& p, const Round& r, const RoundTokens& tokens,
                                    const int16_t* chosen, int count) {
  const int k = static_cast<int>(p.sort.k);
#pragma unroll 1
  for (int t = threadIdx.x; t < count; t += blockDim.x) {
    uint32_t taken = 0;
#pragma unroll 4
    for (int j = 0; j < k; ++j) {
      const int i = t * k + j, e = slot_at(p, chosen, i);
      if (e < 0) continue;
      taken |= 1u << j;
      atomicOr(r.bits + r.cell(t, e), 1u << t % 32);
    }
    tokens.taken[t] = taken;
  }
}

/// before[t], by a block of kSortThreads that each take neighbours; `sums` [warps].
__device__ inline void scan_tokens(const RoundTokens& tokens, int count, int32_t* sums) {
  const int each = (count + kSortThreads - 1) / kSortThreads, lane = threadIdx.x % 32,
            first = min(static_cast<int>(threadIdx.x) * each, count),
            end = min(first + each, count);
  int sum = 0;
#pragma unroll 1
  for (int t = first; t < end; ++t) sum += __popc(tokens.taken[t]);
  const int up_to = warp_prefix(sum);
  if (lane == 31) sums[threadIdx.x / 32] = up_to;
  __syncthreads();
  if (threadIdx.x < 32) {
    const int warp = sums[lane];
    sums[lane] = warp_prefix(warp) - warp;
  }
  __syncthreads();
  int before = sums[threadIdx.x / 32] + up_to - sum;
#pragma unroll 1
  for (int t = first; t < end; ++t) {
    tokens.before[t] = before;
    before += __popc(tokens.taken[t]);
  }
  __syncthreads();
}

/// Entries of the tokens before this block, by every warp; in the first round.
__device__ inline int32_t entries_before(const Round& r) {
  int own = 0;
#pragma unroll 1
  for (int e = threadIdx.x % 32; e < r.slots; e += 32) own += r.next[e] - r.total[e];
  return __reduce_add_sync(kFullWarp, own);
}

/// Writes the entries of `count` tokens from token `first` and entry `begin` on.
template <class T>
__device__ void write_entries(const RouteTopP& p, const Round& r, const RoundTokens& tokens,
                              int64_t first, int count, int64_t begin) {
  const int k = static_cast<int>(p.sort.k), threads = static_cast<int>(blockDim.x);
  const int16_t* chosen = p.chosen + first * k;
  const T* share = static_cast<const T*>(p.share) + first * k;
  // Choice i is the (i - t k)-th of token t.
  const auto entry_of = [&](int t, int i) {
    return begin + tokens.before[t] + __popc(tokens.taken[t] & ((1u << i - t * k) - 1));
  };
#pragma unroll 1
  for (int t = threadIdx.x; t < count; t += threads)
    p.token_offset[first + t] = begin + tokens.before[t];
#pragma unroll 1
  for (int i = threadIdx.x; i < count * k; i += threads) {
    const int e = slot_at(p, chosen, i);
    if (e < 0) continue;
    const int t = r.item(i), cell = r.cell(t, e),
              rank = r.rank[cell] + __popc(r.bits[cell] & ((1u << t % 32) - 1));
    const int64_t a = entry_of(t, i);
    r.order[r.local[e] + rank] = static_cast<uint16_t>(i);
    p.sort.position[a] = r.next[e] + rank;
    p.slot_of[a] = e;
    static_cast<T*>(p.weight)[a] = share[i];
  }
  __syncthreads();
#pragma unroll 1
  for (int n = threadIdx.x; n < r.local[r.slots]; n += threads) {
    const int i = r.order[n], t = r.item(i), e = chosen[i];
    const int64_t row = r.next[e] + n - r.local[e];
    p.sort.token_of[row] = first + t;
    p.sort.entry[row] = entry_of(t, i);
  }
}

/// N places from `a` on that are not in use: harmless to read, each its own row.
template <class T, int N>
__device__ void fill_places(const RouteTopP& p, int64_t a) {
  Pack<int64_t, N> zero, own;
  Pack<T, N> weight;
#pragma unroll
  for (int i = 0; i < N; ++i) {
    zero.v[i] = 0;
    own.v[i] = a + i;
    weight.v[i] = T(0);
  }
  for (int64_t* to : {p.slot_of, p.sort.token_of})
    *reinterpret_cast<Pack<int64_t, N>*>(to + a) = zero;
  for (int64_t* to : {p.sort.position, p.sort.entry})
    *reinterpret_cast<Pack<int64_t, N>*>(to + a) = own;
  *reinterpret_cast<Pack<T, N>*>(static_cast<T*>(p.weight) + a) = weight;
}

/// The places behind the last entry.
template <class T>
__device__ void fill_rest(const RouteTopP& p, int64_t used) {
  const int64_t thread = int64_t{blockIdx.x} * blockDim.x + threadIdx.x,
                step = int64_t{gridDim.x} * blockDim.x, entries = p.sort.entries;
#pragma unroll 1
  for (int64_t a = used + used % 2 + 2 * thread; a + 1 < entries; a += 2 * step)
    fill_places<T, 2>(p, a);
  if (thread > 0) return;
  if (used % 2 == 1 && used < entries) fill_places<T, 1>(p, used);
  if (entries % 2 == 1 && used < entries) fill_places<T, 1>(p, entries - 1);
}

/// Shared memory: that of `placing`, RoundTokens of its tokens. May start while the kernel before
/// it ends.
template <class T>
__global__ void __launch_bounds__(kSortThreads, 2) place_choices(RouteTopP p, Placing placing) {
  wait_for_previous();
  extern __shared__ __align__(16) char shared[];
  __shared__ int32_t sums[kSortThreads / 32];
  const Round r = placing.round(static_cast<int>(p.sort.slots), reinterpret_cast<int32_t*>(shared));
  const int most = 32 * r.words, k = static_cast<int>(p.sort.k);
  auto* taken = reinterpret_cast<uint32_t*>(shared + placing.bytes);
  const RoundTokens tokens{taken, reinterpret_cast<int32_t*>(taken) + most};
  const int64_t share = p.sort.chunk / k, begin = blockIdx.x * share,
                stop = min(begin + share, p.sort.tokens);
  int64_t first = begin, entry = 0;
  do {
    const int count = static_cast<int>(min(stop - first, int64_t{most}));
    const int16_t* chosen = p.chosen + first * k;
    if (first > begin) {
      entry += r.local[r.slots];
      step_rows(r);
    }
    rank_round(p.sort, r, placing.chunks, first == begin,
               [&] { mark_choices(p, r, tokens, chosen, count); });
    if (first == begin) entry = entries_before(r);
    scan_tokens(tokens, count, sums);
    write_entries<T>(p, r, tokens, first, count, entry);
    first += most;
  } while (first < stop);
  const int64_t used = r.total[r.slots];
  fill_rest<T>(p, used);
  if (blockIdx.x == 0 && threadIdx.x == 0) p.token_offset[p.sort.tokens] = used;
}

template <class T>
void place(const RouteTopP& p, void* stream) {
  const Placing placing(p.sort);
  const size_t bytes = placing.bytes + size_t{64} * placing.words * sizeof(int32_t);
  allow_shared(place_choices<T>, bytes);
  launch_early(place_choices<T>, placing.blocks(), kSortThreads, bytes, stream, p, placing);
}

}  // namespace

void route_top_p_cuda(const RouteTopP& p, void* stream) {
  const auto blocks = static_cast<unsigned>(slot_sort_chunks(p.sort));
  with_split(p.columns, p.dtype, [&](auto split, auto type) {
    using S = decltype(split);
    using T = typename decltype(type)::type;
    if (blocks > 0) {
      const auto rounds = TokenRounds::of<S>(p.sort);
      const size_t bytes = static_cast<size_t>(rounds.round) *
                               (static_cast<size_t>(p.sort.k) * sizeof(Choice<T>) + sizeof(T)) +
                           static_cast<size_t>(p.sort.slots) * sizeof(int32_t);
      allow_shared(route_tokens<S, T>, bytes);
      route_tokens<S, T>
          <<<blocks, S::kThreads, bytes, static_cast<cudaStream_t>(stream)>>>(p, rounds);
    }
    place<T>(p, stream);
  });
}

}  // namespace switchyard::kernels
