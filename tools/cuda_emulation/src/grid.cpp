#include "grid.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "report.h"

namespace emulation {

namespace {

// LMZ_EMULATION_SEED, for the order `shuffled`.
uint64_t seed(uint64_t salt) {
    static const uint64_t given = number("LMZ_EMULATION_SEED", 1);
    return (given + 1) * 0x9e3779b97f4a7c15ull ^ (salt << 32 | 0x1234567);
}

class Grid {
  public:
    void run(const Launch &launch) {
        const Dim &g = launch.grid;
        arrange(turns, g.x * g.y * g.z, order(), random);
        next = 0;
        if (turns.size() > 1) {
            if (!helped) {
                // It waits for work until the process ends.
                std::thread([this] { help(); }).detach();
                helped = true;
            }
            std::unique_lock<std::mutex> lock(mutex);
            shared = &launch;
            changed.notify_all();
        }
        work(here, launch);
        std::unique_lock<std::mutex> lock(mutex);
        shared = nullptr;
        changed.wait(lock, [this] { return !busy; });
    }

  private:
    void work(Runner &runner, const Launch &launch) {
        const Dim &g = launch.grid;
        for (;;) {
            size_t i = next++;
            if (i >= turns.size()) return;
            uint32_t at = turns[i];
            runner.run(launch, {at % g.x, at / g.x % g.y, at / g.x / g.y});
        }
    }

    void help() {
        Runner runner(seed(2));
        for (;;) {
            const Launch *launch;
            {
                std::unique_lock<std::mutex> lock(mutex);
                changed.wait(lock, [this] { return shared && next < turns.size(); });
                launch = shared;
                busy = true;
            }
            work(runner, *launch);
            std::unique_lock<std::mutex> lock(mutex);
            busy = false;
            changed.notify_all();
        }
    }

    Runner here{seed(1)};
    Random random{seed(3)};
    std::vector<uint32_t> turns;
    std::atomic<size_t> next{0};
    bool helped = false;
    std::mutex mutex;
    std::condition_variable changed;
    const Launch *shared = nullptr;
    bool busy = false;
};

}  // namespace

void run_grid(const Launch &launch) {
    // Never destroyed: its helper runs until the process ends.
    static Grid &grid = *new Grid;
    static std::mutex one;
    std::lock_guard<std::mutex> lock(one);
    grid.run(launch);
}

}  // namespace emulation
