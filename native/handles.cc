#include "handles.h"

namespace door {

namespace {
constexpr double kSlots = 16777216.0;
}

double Handles::add(at::Tensor tensor) {
  uint32_t index;
  if (free_.empty()) {
    TORCH_CHECK(slots_.size() < kSlots, "more than 16,777,216 tensors are alive: a scope is missing");
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  slots_[index].tensor = std::move(tensor);
  return slots_[index].generation * kSlots + index;
}

const at::Tensor& Handles::get(double handle) const {
  const auto generation = static_cast<uint64_t>(handle / kSlots);
  const auto index = static_cast<uint64_t>(handle - generation * kSlots);
  TORCH_CHECK(generation >= 1 && index < slots_.size(), "expected a tensor, got the number ", handle);
  const Slot& slot = slots_[index];
  TORCH_CHECK(slot.generation == generation, "this tensor was already freed by its scope");
  return slot.tensor;
}

void Handles::release(double handle) {
  const auto generation = static_cast<uint64_t>(handle / kSlots);
  const auto index = static_cast<uint64_t>(handle - generation * kSlots);
  if (index >= slots_.size() || slots_[index].generation != generation) return;
  slots_[index].tensor = at::Tensor();
  slots_[index].generation++;
  free_.push_back(static_cast<uint32_t>(index));
}

Handles& handles() {
  static Handles table;
  return table;
}

}  // namespace door
