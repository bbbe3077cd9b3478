// What the emulation says, and how it gives up.
#pragma once

namespace emulation {

// A fault of the program that is being run: says what, and aborts, since no result after it means
// anything.
[[noreturn]] void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

// An environment variable as a number, or `otherwise` where it is not set.
unsigned long long number(const char *name, unsigned long long otherwise);

}  // namespace emulation
