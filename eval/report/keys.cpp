#include "eval/report/keys.h"

#include "core/base/text.h"
#include "eval/report/svg.h"

namespace switchyard {
namespace {

struct Key {
  const char *keys, *effect;
};
constexpr Key kKeys[] = {
    {"[ ]", "layer before, layer after"},
    {"d", "experts by layer and domain: share, difference, ratio"},
    {"1 – 9", "hide or show a domain in the small multiples; means keep all domains"},
    {"← ↑ → ↓", "in a figure that has the focus: move from value to value"},
    {"Enter",
     "isolate the expert under the cursor; a click on it or its legend entry does the same"},
    {"t", "light or dark"},
    {"Esc", "show all experts and domains again"},
    {"?", "this list"}};

std::string domain_boxes(const std::vector<std::string>& domains) {
  if (domains.empty()) return "";
  std::string out = "<fieldset><legend>Domains shown</legend>";
  for (size_t d = 0; d < domains.size(); ++d)
    out += cat("<label><input type=\"checkbox\" checked data-toggle-domain=\"", d, "\">",
               d < 9 ? cat("<kbd>", d + 1, "</kbd> ") : "", escape_xml(domains[d]), "</label>");
  return out + "</fieldset>";
}

}  // namespace

std::string keys_dialog(const std::vector<std::string>& domains) {
  std::string out =
      "<dialog id=\"keys\" aria-labelledby=\"keys-title\"><form method=\"dialog\"><h2 "
      "id=\"keys-title\">Keys</h2><table>";
  for (const auto& key : kKeys)
    out +=
        cat("<tr><th scope=\"row\"><kbd>", key.keys, "</kbd></th><td>", key.effect, "</td></tr>");
  return out + "</table>" + domain_boxes(domains) + "<button>Close</button></form></dialog>";
}

}  // namespace switchyard
