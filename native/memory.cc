#include "memory.h"

#include <c10/core/Allocator.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace door {

namespace {

// What vectors are read with at once.
constexpr uintptr_t kAlignment = 64;

void freeBlock(void* data) {
  if (data != nullptr) std::free(static_cast<void**>(data)[-1]);
}

// libtorch asks glibc for aligned memory. Before 2.38 that looks for a free place larger than the tensor by the alignment, so
// none that a tensor of the same size has left: a step took twice the memory that its tensors have. Plain memory is aligned
// here instead, with the block's beginning noted in front of it.
class ReusingAllocator final : public c10::Allocator {
 public:
  // Some libtorch versions have the first, some the second, and some ask how to copy: whichever there is, is overridden
  c10::DataPtr allocate(size_t bytes) { return block(bytes); }
  c10::DataPtr allocate(size_t bytes) const { return block(bytes); }
  void copy_data(void* to, const void* from, size_t count) const { std::memcpy(to, from, count); }
  c10::DeleterFnPtr raw_deleter() const override { return &freeBlock; }

 private:
  static c10::DataPtr block(size_t bytes) {
    void* data = nullptr;
    if (bytes > 0) {
      void* start = std::malloc(bytes + kAlignment);
      TORCH_CHECK(start != nullptr, "not enough memory for a tensor of ", bytes, " bytes");
      // malloc aligns to 16 bytes, so at least as many lie between both
      data = reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(start) + kAlignment) & ~(kAlignment - 1));
      static_cast<void**>(data)[-1] = start;
    }
    return {data, data, &freeBlock, c10::Device(c10::DeviceType::CPU)};
  }
};

}  // namespace

// A scope frees all tensors of a step at once. Left alone, glibc would hand those pages back to the system and fault
// them in again in the next step: a tenth of a training step went there. Tensors of more than 32 MiB would be mapped
// each by itself, whatever the threshold, and unmapped when they are freed; so nothing is.
void keepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  static ReusingAllocator allocator;
  c10::SetAllocator(c10::DeviceType::CPU, &allocator, 1);
#endif
}

void returnFreedMemory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace door
