#pragma once
// Keeps the page small enough to mail and to open (report-design 4, "Budget").

#include "eval/report/page.h"

namespace switchyard {

/// The page in at most `bytes`. What does not fit is left out in this order, each piece named in
/// the page's notes: clouds beyond the first; three of four layers of overlays; pictures of
/// overlays beyond the default layer; frames of routing figures beyond it, the largest figure
/// first; views behind a button, the difference first. A page that is
/// still larger says so.
std::string page_within(Page page, int64_t bytes);

}  // namespace switchyard
