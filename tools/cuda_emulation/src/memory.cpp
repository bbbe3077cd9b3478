#include "memory.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>

#include "report.h"

namespace emulation {

namespace {

constexpr size_t PAGE = 4096;
// Closed address space before and behind each allocation: an access that far off faults, wherever else memory is mapped.
constexpr size_t CLOSED = size_t(64) << 20;
// Of an allocation's start, as the driver aligns it.
constexpr size_t ALIGNMENT = 512;
// Memory that was never written, and what lies between an allocation's end and what is closed behind it.
constexpr int UNWRITTEN = 0xa5, BEHIND = 0x5c;

struct Block {
    size_t bytes;
    // All of it, with `CLOSED` bytes at either end.
    char *room;
    size_t room_bytes;
};

std::mutex mutex;
// By the address of the first byte.
std::map<uint64_t, Block> blocks;
size_t taken = 0;
// How often memory was asked for; where LMZ_EMULATION_COUNT is set, it is told at the end.
struct Takings {
    unsigned long long count = 0;
    unsigned long long operator++() { return ++count; }
    operator unsigned long long() const { return count; }
    ~Takings() {
        if (std::getenv("LMZ_EMULATION_COUNT"))
            std::fprintf(stderr, "CUDA emulation: %llu allocations\n", count);
    }
} takings;
std::map<void *, size_t> pinned;

void free_block(std::map<uint64_t, Block>::iterator found) {
    const Block &block = found->second;
    auto *end = reinterpret_cast<unsigned char *>(found->first) + block.bytes;
    auto *limit = reinterpret_cast<unsigned char *>(block.room) + block.room_bytes - CLOSED;
    for (; end < limit; ++end)
        if (*end != BEHIND)
            die("an allocation of %zu bytes was written past its end", block.bytes);
    munmap(block.room, block.room_bytes);
    taken -= block.bytes;
    blocks.erase(found);
}

}  // namespace

size_t total_memory() {
    static const size_t total = number("LMZ_EMULATION_MEMORY", 4ull << 30);
    return total;
}

size_t free_memory() {
    std::lock_guard<std::mutex> lock(mutex);
    return total_memory() - taken;
}

uint64_t take_device(size_t bytes) {
    static const unsigned long long full = number("LMZ_EMULATION_FULL", 0);
    std::lock_guard<std::mutex> lock(mutex);
    ++takings;
    if (full && takings >= full) return 0;
    if (bytes == 0 || bytes > total_memory() - taken) return 0;
    size_t inner = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    inner = (inner + PAGE - 1) / PAGE * PAGE;
    size_t room_bytes = inner + 2 * CLOSED;
    void *room = mmap(nullptr, room_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return 0;
    char *start = static_cast<char *>(room) + CLOSED;
    if (mprotect(start, inner, PROT_READ | PROT_WRITE) != 0) {
        munmap(room, room_bytes);
        return 0;
    }
    // The end as close to what is closed as the alignment lets it be.
    size_t slack = (inner - bytes) / ALIGNMENT * ALIGNMENT;
    std::memset(start, BEHIND, slack);
    std::memset(start + slack, UNWRITTEN, bytes);
    std::memset(start + slack + bytes, BEHIND, inner - slack - bytes);
    auto at = reinterpret_cast<uint64_t>(start + slack);
    blocks[at] = {bytes, static_cast<char *>(room), room_bytes};
    taken += bytes;
    return at;
}

void give_device(uint64_t at) {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = blocks.find(at);
    if (found == blocks.end()) die("memory at %#llx is freed, but was not allocated", (unsigned long long)at);
    free_block(found);
}

void give_all_device() {
    std::lock_guard<std::mutex> lock(mutex);
    while (!blocks.empty()) free_block(blocks.begin());
}

void check_device(const char *what, uint64_t at, size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex);
    auto after = blocks.upper_bound(at);
    if (after != blocks.begin()) {
        auto found = std::prev(after);
        size_t offset = at - found->first;
        if (offset <= found->second.bytes && bytes <= found->second.bytes - offset) return;
    }
    die("%s: %zu bytes at %#llx are not memory of the card", what, bytes, (unsigned long long)at);
}

void *take_host(size_t bytes) {
    void *at = nullptr;
    if (posix_memalign(&at, PAGE, bytes ? bytes : 1) != 0) return nullptr;
    std::memset(at, UNWRITTEN, bytes);
    std::lock_guard<std::mutex> lock(mutex);
    pinned[at] = bytes;
    return at;
}

void give_host(void *at) {
    std::lock_guard<std::mutex> lock(mutex);
    if (pinned.erase(at) == 0) die("pinned memory at %p is freed, but was not allocated", at);
    std::free(at);
}

}  // namespace emulation
