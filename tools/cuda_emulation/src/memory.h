// The memory of the emulated card, and pinned memory of the host.
#pragma once

#include <cstddef>
#include <cstdint>

namespace emulation {

// Bytes of the card: LMZ_EMULATION_MEMORY, or 4 GiB.
size_t total_memory();
// What of them is not taken.
size_t free_memory();

// Takes memory, filled with a pattern; 0 where the card has no room left.
uint64_t take_device(size_t bytes);
// Gives it back. Aborts where it was not taken, or a write past its end destroyed the bytes behind it.
void give_device(uint64_t at);
// Gives back all that is left.
void give_all_device();
// Aborts unless all bytes of a range lie in one allocation of the card.
void check_device(const char *what, uint64_t at, size_t bytes);

void *take_host(size_t bytes);
void give_host(void *at);

}  // namespace emulation
