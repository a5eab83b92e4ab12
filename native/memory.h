// How tensors on the CPU get their memory, and keep it.
#pragma once

namespace door {

// Has tensors' memory kept where they are freed, and its places taken by the next ones. Before the first tensor.
void keepFreedMemory();

// Hands all that is kept so back to the system.
void returnFreedMemory();

}  // namespace door
