#include "eval/analysis/clustering.h"

#include <algorithm>
#include <map>

#include "core/base/error.h"

namespace switchyard {
namespace {

struct Cluster {
  int64_t id, size;
  Indices leaves;
};

// Positions (i < j) of the closest pair; clusters are kept in rising order of id.
std::pair<size_t, size_t> closest(const Table& distance) {
  std::pair<size_t, size_t> best{0, 1};
  for (size_t i = 0; i < distance.size(); ++i)
    for (size_t j = i + 1; j < distance.size(); ++j)
      if (distance[i][j] < distance[best.first][best.second]) best = {i, j};
  return best;
}

void erase_at(Table& distance, size_t i) {
  distance.erase(distance.begin() + i);
  for (auto& row : distance) row.erase(row.begin() + i);
}

// Joins clusters i < j into a new last one (Lance-Williams update).
Cluster join_clusters(std::vector<Cluster>& clusters, Table& distance, size_t i, size_t j,
                      int64_t id) {
  const double ni = clusters[i].size, nj = clusters[j].size;
  Row joined;
  for (size_t m = 0; m < clusters.size(); ++m)
    if (m != i && m != j) joined.push_back((ni * distance[i][m] + nj * distance[j][m]) / (ni + nj));
  Cluster out{id, clusters[i].size + clusters[j].size, clusters[i].leaves};
  out.leaves.insert(out.leaves.end(), clusters[j].leaves.begin(), clusters[j].leaves.end());
  for (size_t gone : {j, i}) {
    erase_at(distance, gone);
    clusters.erase(clusters.begin() + gone);
  }
  for (size_t m = 0; m < joined.size(); ++m) distance[m].push_back(joined[m]);
  joined.push_back(0);
  distance.push_back(joined);
  clusters.push_back(out);
  return out;
}

}  // namespace

Clustering cluster_average(const Table& distance) {
  const auto n = static_cast<int64_t>(distance.size());
  for (const auto& row : distance)
    check(static_cast<int64_t>(row.size()) == n, "eval/analysis/clustering",
          "distance matrix is not square: got a row of ", row.size(), ", expected ", n);
  Clustering out;
  Table work = distance;
  std::vector<Cluster> clusters;
  for (int64_t i = 0; i < n; ++i) clusters.push_back({i, 1, {i}});
  while (clusters.size() > 1) {
    const auto [i, j] = closest(work);
    const int64_t a = clusters[i].id, b = clusters[j].id;
    const double height = work[i][j];
    const int64_t id = n + static_cast<int64_t>(out.merges.size());
    out.merges.push_back({a, b, height, join_clusters(clusters, work, i, j, id).size});
  }
  if (n > 0) out.order = clusters[0].leaves;
  return out;
}

Indices Clustering::groups(int64_t groups) const {
  const auto n = static_cast<int64_t>(order.size());
  Indices parent(2 * n, -1), out(n, -1);
  const int64_t done = std::max<int64_t>(0, n - std::max<int64_t>(groups, 1));
  for (int64_t m = 0; m < done; ++m) parent[merges[m].a] = parent[merges[m].b] = n + m;
  std::map<int64_t, int64_t> number;
  for (int64_t leaf = 0; leaf < n; ++leaf) {
    int64_t root = leaf;
    while (parent[root] >= 0) root = parent[root];
    out[leaf] = number.emplace(root, static_cast<int64_t>(number.size())).first->second;
  }
  return out;
}

}  // namespace switchyard
