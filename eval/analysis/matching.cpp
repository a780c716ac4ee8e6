#include "eval/analysis/matching.h"

#include <algorithm>

namespace switchyard {
namespace {

constexpr int64_t kInfinite = std::numeric_limits<int64_t>::max() / 4;

// Shortest augmenting paths over a square cost matrix; index 0 is a sentinel.
class Matcher {
 public:
  explicit Matcher(const IndexTable& cost)
      : cost_(cost),
        n_(static_cast<int64_t>(cost.size())),
        row_potential_(n_ + 1),
        column_potential_(n_ + 1),
        row_of_(n_ + 1) {}

  Indices solve() {
    for (int64_t row = 1; row <= n_; ++row) augment(row);
    Indices out(n_, -1);
    for (int64_t column = 1; column <= n_; ++column) out[row_of_[column] - 1] = column - 1;
    return out;
  }

 private:
  void augment(int64_t row) {
    Indices slack(n_ + 1, kInfinite), previous(n_ + 1);
    std::vector<bool> used(n_ + 1);
    row_of_[0] = row;
    int64_t column = 0;
    while (row_of_[column] != 0) {
      used[column] = true;
      const int64_t next = relax(column, slack, previous, used);
      shift(slack[next], slack, used);
      column = next;
    }
    for (; column != 0; column = previous[column]) row_of_[column] = row_of_[previous[column]];
  }

  int64_t relax(int64_t column, Indices& slack, Indices& previous, const std::vector<bool>& used) {
    const int64_t row = row_of_[column];
    int64_t best = 0;
    for (int64_t j = 1; j <= n_; ++j) {
      if (used[j]) continue;
      const int64_t reduced = cost_[row - 1][j - 1] - row_potential_[row] - column_potential_[j];
      if (reduced < slack[j]) {
        slack[j] = reduced;
        previous[j] = column;
      }
      if (best == 0 || slack[j] < slack[best]) best = j;
    }
    return best;
  }

  void shift(int64_t delta, Indices& slack, const std::vector<bool>& used) {
    for (int64_t j = 0; j <= n_; ++j) {
      if (used[j]) {
        row_potential_[row_of_[j]] += delta;
        column_potential_[j] -= delta;
      } else {
        slack[j] -= delta;
      }
    }
  }

  const IndexTable& cost_;
  int64_t n_;
  Indices row_potential_, column_potential_, row_of_;
};

}  // namespace

Indices maximum_matching(const IndexTable& profit) {
  const size_t rows = profit.size(), columns = rows == 0 ? 0 : profit[0].size();
  const size_t n = std::max(rows, columns);
  IndexTable cost(n, Indices(n));
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) cost[i][j] = -profit[i][j];
  Indices out = Matcher(cost).solve();
  out.resize(rows);
  for (int64_t& column : out)
    if (column >= static_cast<int64_t>(columns)) column = -1;
  return out;
}

}  // namespace switchyard
