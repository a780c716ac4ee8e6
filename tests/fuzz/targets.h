#pragma once
// What is fuzzed: every parser of files from outside. A target gets the bytes of one file; it may
// refuse them with an Error and must do nothing else that is wrong.

#include <functional>
#include <map>
#include <span>
#include <string>

namespace switchyard::fuzz {

using Target = std::function<void(std::span<const std::byte>)>;

/// By name: safetensors, npy, npz, torch, yaml, json, gzip, bin_label, ... Each reads everything
/// that the file holds.
const std::map<std::string, Target>& targets();

/// Runs a target. Lets through what is not an Error.
void run(const Target& target, std::span<const std::byte> bytes);

}  // namespace switchyard::fuzz
