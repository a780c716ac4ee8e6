#pragma once

namespace switchyard {

/// Registers every router stage, dataset, task and golden kind of this build. Once per program.
void register_all();

}  // namespace switchyard
