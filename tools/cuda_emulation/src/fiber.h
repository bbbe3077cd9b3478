// A switch between stacks of one OS thread.
#pragma once

namespace emulation {

// The stack of something that does not run.
using StackPointer = void *;

// Leaves this stack, whose place goes to `from`, for the one at `to`.
void switch_stack(StackPointer *from, StackPointer to);

// A stack that ends at `top` (aligned to 16 bytes) and starts with `entry`, which never returns.
StackPointer new_stack(void *top, void (*entry)());

}  // namespace emulation
