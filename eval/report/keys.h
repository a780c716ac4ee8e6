#pragma once
// The overlay that lists the keys of the page.

#include <string>
#include <vector>

namespace switchyard {

/// A dialog element: keys and their effect, and a check box for every domain.
std::string keys_dialog(const std::vector<std::string>& domains);

}  // namespace switchyard
