// Tensors as numbers: JavaScript holds a handle, this table holds the tensor.
#pragma once
#include <ATen/core/Tensor.h>

#include <vector>

namespace door {

// A handle is generation * 2^24 + slot. Generations start at 1, so no small number is ever a handle,
// and a handle used after its release is recognised.
class Handles {
 public:
  double add(at::Tensor tensor);
  const at::Tensor& get(double handle) const;
  void release(double handle);
  size_t live() const { return slots_.size() - free_.size(); }

 private:
  struct Slot {
    at::Tensor tensor;
    uint32_t generation = 1;
  };
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

Handles& handles();

}  // namespace door
