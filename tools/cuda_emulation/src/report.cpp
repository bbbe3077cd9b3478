#include "report.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

namespace emulation {

void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::fputs("CUDA emulation: ", stderr);
    std::vfprintf(stderr, format, arguments);
    std::fputs("\n", stderr);
    va_end(arguments);
    std::abort();
}

unsigned long long number(const char *name, unsigned long long otherwise) {
    const char *text = std::getenv(name);
    if (!text || !*text) return otherwise;
    char *end = nullptr;
    unsigned long long value = std::strtoull(text, &end, 0);
    if (*end) die("%s is not a number: %s", name, text);
    return value;
}

}  // namespace emulation
