#include "block.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "fiber.h"
#include "report.h"

namespace emulation {

namespace {

enum class State { Ready, AtBarrier, AtStep, Done };

constexpr size_t PAGE = 4096;
// Whole pages, so that the one after them can be closed.
constexpr size_t SHARED_ROOM = (MAX_SHARED + PAGE - 1) / PAGE * PAGE;

}  // namespace

// A thread of a block as the scheduler sees it; `thread` is first, where kernels look for it.
struct Fiber {
    Thread thread;
    State state;
    unsigned line;
    WarpStep *step;
    StackPointer stack;
    Runner *runner;
    // The scheduler's own stack while this fiber runs.
    StackPointer *scheduler;
    const Launch *launch;
};
static_assert(sizeof(Fiber) <= ROOM, "a fiber must fit above its stack");

struct Runner::Fibers {
    char *stacks;
    char *shared;
    StackPointer scheduler = nullptr;
    Random random;
    std::vector<uint32_t> turns;

    explicit Fibers(uint64_t seed) : random{seed} {}

    Fiber &at(unsigned i) {
        uintptr_t stack = reinterpret_cast<uintptr_t>(stacks) / STACK + i;
        return *reinterpret_cast<Fiber *>((stack + 1) * STACK - ROOM - stack % COLOURS * COLOUR);
    }

    [[noreturn]] void fail(unsigned i, const char *what);
    void start(const Launch &launch, Dim block, unsigned threads);
    bool release_warps(unsigned threads);
    void release_barrier(unsigned threads);
};

namespace {

std::string where(const Fiber &fiber) {
    const Thread &t = fiber.thread;
    char text[256];
    std::snprintf(text, sizeof text, "thread (%u, %u, %u) of block (%u, %u, %u) of %s", t.thread.x,
                  t.thread.y, t.thread.z, t.block.x, t.block.y, t.block.z, fiber.launch->kernel->name);
    return text;
}

void yield(Fiber *fiber) { switch_stack(&fiber->stack, *fiber->scheduler); }

void sync_threads(Thread *thread, unsigned line) {
    auto *fiber = reinterpret_cast<Fiber *>(thread);
    fiber->state = State::AtBarrier;
    fiber->line = line;
    yield(fiber);
}

void warp_step(Thread *thread, unsigned line, WarpStep *step) {
    auto *fiber = reinterpret_cast<Fiber *>(thread);
    fiber->state = State::AtStep;
    fiber->line = line;
    fiber->step = step;
    yield(fiber);
}

[[noreturn]] void fail_in_kernel(Thread *thread, const char *what) {
    die("%s: %s", where(*reinterpret_cast<Fiber *>(thread)).c_str(), what);
}

const Services SERVICES{sync_threads, warp_step, fail_in_kernel};

void thread_main() {
    auto *fiber = reinterpret_cast<Fiber *>(self());
    fiber->launch->kernel->run(fiber->launch->arguments);
    fiber->state = State::Done;
    yield(fiber);
    die("%s ran after its end", where(*fiber).c_str());
}

}  // namespace

void Runner::Fibers::fail(unsigned i, const char *what) {
    die("%s: %s (line %u)", where(at(i)).c_str(), what, at(i).line);
}

void Runner::Fibers::start(const Launch &launch, Dim block, unsigned threads) {
    // Whatever the last block left must not look like this one's; the end lies at a page that cannot be
    // touched.
    size_t room = (launch.shared + 15) & ~size_t(15);
    auto *start = reinterpret_cast<unsigned char *>(shared) + SHARED_ROOM - room;
    std::memset(start, 0xb5, room);
    for (unsigned i = 0; i < threads; ++i) {
        Fiber &fiber = at(i);
        Thread &thread = fiber.thread;
        thread.thread = {i % launch.block.x, i / launch.block.x % launch.block.y,
                         i / launch.block.x / launch.block.y};
        thread.block = block;
        thread.block_dim = launch.block;
        thread.grid_dim = launch.grid;
        thread.lane = i % WARP;
        thread.shared = start;
        thread.services = &SERVICES;
        fiber.state = State::Ready;
        fiber.line = 0;
        fiber.step = nullptr;
        fiber.scheduler = &scheduler;
        fiber.launch = &launch;
        fiber.stack = new_stack(&fiber, thread_main);
    }
}

// Takes the steps for which all lanes of a warp have come. Whether there were any.
bool Runner::Fibers::release_warps(unsigned threads) {
    bool any = false;
    for (unsigned first = 0; first < threads; first += WARP) {
        unsigned end = first + WARP < threads ? first + WARP : threads;
        unsigned waiting = 0;
        for (unsigned i = first; i < end; ++i) waiting += at(i).state == State::AtStep;
        if (waiting == 0) continue;
        WarpStep *steps[WARP] = {};
        for (unsigned i = first; i < end; ++i) {
            if (at(i).state != State::AtStep)
                fail(i, "the rest of its warp waits for it in a warp's step that it does not take");
            if (at(i).line != at(first).line || at(i).step->run != at(first).step->run)
                fail(i, "it is at another step than the rest of its warp");
            steps[i - first] = at(i).step;
        }
        if (end - first < WARP) {
            // No kernel of lmz's has blocks that are not whole warps and uses them as warps.
            fail(first, "a step of a warp that is not whole");
        }
        steps[0]->run(steps);
        for (unsigned i = first; i < end; ++i) at(i).state = State::Ready;
        any = true;
    }
    return any;
}

void Runner::Fibers::release_barrier(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
        if (at(i).state == State::Done) fail(i, "it ended while others wait at a barrier");
        if (at(i).line != at(0).line) fail(i, "it waits at another barrier than thread 0");
    }
    for (unsigned i = 0; i < threads; ++i) at(i).state = State::Ready;
}

Runner::Runner(uint64_t seed) : fibers(std::make_unique<Fibers>(seed)) {
    constexpr int ACCESS = PROT_READ | PROT_WRITE, KIND = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    size_t size = (MAX_THREADS + 1) * STACK;
    void *room = mmap(nullptr, size, ACCESS, KIND, -1, 0);
    void *shared = mmap(nullptr, SHARED_ROOM + PAGE, ACCESS, KIND, -1, 0);
    if (room == MAP_FAILED || shared == MAP_FAILED) die("no memory for the threads of a block");
    auto start = (reinterpret_cast<uintptr_t>(room) + STACK - 1) & ~uintptr_t(STACK - 1);
    fibers->stacks = reinterpret_cast<char *>(start);
    fibers->shared = static_cast<char *>(shared);
    // What grows out of its stack, or out of the shared memory, ends there.
    for (unsigned i = 0; i < MAX_THREADS; ++i) mprotect(fibers->stacks + i * STACK, PAGE, PROT_NONE);
    mprotect(fibers->shared + SHARED_ROOM, PAGE, PROT_NONE);
}

// A runner lives as long as the process.
Runner::~Runner() = default;

void Runner::run(const Launch &launch, Dim block) {
    Fibers &all = *fibers;
    unsigned threads = launch.block.x * launch.block.y * launch.block.z;
    all.start(launch, block, threads);
    for (;;) {
        arrange(all.turns, threads, order(), all.random);
        bool ended = true;
        for (uint32_t i : all.turns) {
            if (all.at(i).state == State::Ready) switch_stack(&all.scheduler, all.at(i).stack);
            ended = ended && all.at(i).state == State::Done;
        }
        if (ended) return;
        if (!all.release_warps(threads)) all.release_barrier(threads);
    }
}

Order order() {
    static const Order chosen = [] {
        const char *text = std::getenv("LMZ_EMULATION_ORDER");
        std::string name = text ? text : "";
        if (name.empty() || name == "forward") return Order::Forward;
        if (name == "backward") return Order::Backward;
        if (name == "shuffled") return Order::Shuffled;
        die("LMZ_EMULATION_ORDER is forward, backward or shuffled, not %s", text);
    }();
    return chosen;
}

uint64_t Random::next() {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dull;
}

void Random::shuffle(std::vector<uint32_t> &items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[next() % i]);
}

void arrange(std::vector<uint32_t> &items, uint32_t n, Order order, Random &random) {
    if (items.size() != n || order == Order::Shuffled) {
        items.resize(n);
        for (uint32_t i = 0; i < n; ++i) items[i] = order == Order::Backward ? n - 1 - i : i;
    }
    if (order == Order::Shuffled) random.shuffle(items);
}

}  // namespace emulation
