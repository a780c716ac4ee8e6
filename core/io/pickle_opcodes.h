#pragma once
// Opcodes of pickle protocol 2, as far as Python's pickler writes them. Names follow what they do.

#include <cstdint>

namespace switchyard::pickle {

constexpr uint8_t kProtocol = 0x80, kStop = '.', kMark = '(', kPop = '0', kPopMark = '1';
constexpr uint8_t kNone = 'N', kTrue = 0x88, kFalse = 0x89;
constexpr uint8_t kInt8 = 'K', kInt16 = 'M', kInt32 = 'J', kLong = 0x8a, kDouble = 'G';
constexpr uint8_t kText = 'X', kGlobal = 'c';
constexpr uint8_t kEmptyDict = '}', kEmptyList = ']', kEmptyTuple = ')', kTuple = 't';
constexpr uint8_t kTuple1 = 0x85, kTuple2 = 0x86, kTuple3 = 0x87;
constexpr uint8_t kAppend = 'a', kAppends = 'e', kSetItem = 's', kSetItems = 'u';
constexpr uint8_t kReduce = 'R', kNewObject = 0x81, kBuild = 'b', kPersistent = 'Q';
constexpr uint8_t kPut8 = 'q', kPut32 = 'r', kGet8 = 'h', kGet32 = 'j';

}  // namespace switchyard::pickle
