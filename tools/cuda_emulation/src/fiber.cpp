#include "fiber.h"

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) && !defined(EMULATION_UCONTEXT)

// The registers that a call preserves; kernels are integers only, so no control words.
asm(R"(
.text
.globl emulation_switch_stack
.hidden emulation_switch_stack
.type emulation_switch_stack, @function
emulation_switch_stack:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emulation_switch_stack, .-emulation_switch_stack
)");
extern "C" void emulation_switch_stack(void **from, void *to);

namespace emulation {

void switch_stack(StackPointer *from, StackPointer to) { emulation_switch_stack(from, to); }

StackPointer new_stack(void *top, void (*entry)()) {
    // Six registers, the address to return to, and one word more, so that `entry` finds the stack as
    // after a call.
    auto *at = static_cast<uint64_t *>(top) - 8;
    for (size_t i = 0; i < 8; ++i) at[i] = 0;
    at[6] = reinterpret_cast<uint64_t>(entry);
    return at;
}

}  // namespace emulation

#else

#include <ucontext.h>

#include <new>

namespace emulation {

// Any other processor: the C library's contexts, which live on the stacks themselves.
void switch_stack(StackPointer *from, StackPointer to) {
    ucontext_t here;
    *from = &here;
    swapcontext(&here, static_cast<ucontext_t *>(to));
}

StackPointer new_stack(void *top, void (*entry)()) {
    auto at = (reinterpret_cast<uintptr_t>(top) - sizeof(ucontext_t)) & ~uintptr_t(63);
    auto *context = new (reinterpret_cast<void *>(at)) ucontext_t;
    getcontext(context);
    // The room is STACK bytes and more; half of the least is ample for what lies below.
    constexpr size_t SIZE = 64 * 1024;
    context->uc_stack.ss_sp = reinterpret_cast<void *>(at - SIZE);
    context->uc_stack.ss_size = SIZE;
    context->uc_link = nullptr;
    makecontext(context, entry, 0);
    return context;
}

}  // namespace emulation

#endif
