// The emulation finds the faults that it is there to find: each in a process of its own, which must end as
// expected.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "support.h"

namespace {

const char *const SHARED = "extern __shared__ __align__(4) uint8 dynamic_shared_mem[];\n"
                           "int32* room = reinterpret_cast<int32*>(&dynamic_shared_mem[0]);\n";

// A kernel `faulty` of 64 threads on 64 numbers.
std::string source(const std::string &body) {
    return prelude() +
           "\nextern \"C\" __global__ void __launch_bounds__(64)faulty (\n"
           "const int32* __restrict__ in, int32* out\n) {\n"
           "uint i = threadIdx.x;\n" + body + "\n}";
}

std::vector<int32_t> run(const std::string &body, unsigned shared = 256) {
    start();
    void *function = kernel(source(body), "faulty");
    std::vector<int32_t> in(64);
    for (size_t i = 0; i < in.size(); ++i) in[i] = int32_t(i) + 1;
    uint64_t from = upload(in), to = upload(in);
    MUST(launch(function, 1, 64, shared, {from, to}));
    auto out = download<int32_t>(to, in.size());
    MUST(cuMemFree_v2(from));
    MUST(cuMemFree_v2(to));
    return out;
}

// What a process says on its standard error, and how it ends.
template <class F>
std::string said_by(F body, int &status) {
    int ends[2];
    must(pipe(ends) == 0, "a pipe");
    std::fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        close(ends[0]);
        body();
        _exit(0);
    }
    close(ends[1]);
    std::string said;
    char buffer[4096];
    for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) said.append(buffer, size_t(n));
    close(ends[0]);
    must(waitpid(child, &status, 0) == child, "the end of a process");
    return said;
}

// It must not end well, and say `wanted`.
void fails(const char *what, const std::string &body, const char *wanted) {
    int status = 0;
    std::string said = said_by([&] { run(body); }, status);
    bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    bool found = !ended_well && said.find(wanted) != std::string::npos;
    if (!found) std::fprintf(stderr, "%s: status %d, said: %s\n", what, status, said.c_str());
    must(found, what);
    std::printf("found: %s\n", what);
}

// The sum of 1..64 by thread 0, with a barrier or without.
int32_t sum(const char *order, bool barrier) {
    setenv("LMZ_EMULATION_ORDER", order, 1);
    int ends[2];
    must(pipe(ends) == 0, "a pipe");
    int status = 0;
    said_by(
        [&] {
            std::string body = std::string(SHARED) + "room[i] = in[i];\n";
            if (barrier) body += "__syncthreads();\n";
            body += "int64 all = 0;\nif (i == 0) { for (uint j = 0; j < 64; ++j) all += room[j]; }\n"
                    "out[i] = int32(all);";
            int32_t result = run(body)[0];
            must(write(ends[1], &result, sizeof result) == sizeof result, "a result");
        },
        status);
    must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a sum");
    int32_t result = 0;
    must(read(ends[0], &result, sizeof result) == sizeof result, "a result");
    close(ends[0]);
    close(ends[1]);
    return result;
}

}  // namespace

int main() {
    for (const char *order : {"forward", "backward", "shuffled"})
        must(sum(order, true) == 2080, "a sum with its barrier");
    must(sum("backward", false) == 2080, "the order in which a missing barrier does not show");
    must(sum("forward", false) != 2080, "a missing barrier shows");
    std::printf("found: a missing barrier\n");
    unsetenv("LMZ_EMULATION_ORDER");

    const std::string shared = SHARED;
    fails("a thread that ends while others wait", "if (i == 5) return;\n__syncthreads();\nout[i] = 1;",
          "ended while others wait");
    fails("two barriers at once", "if (i < 32) {\n__syncthreads();\n} else {\n__syncthreads();\n}\nout[i] = 1;",
          "another barrier");
    fails("a step that part of a warp takes",
          "if (i % 2) out[i] = __shfl_sync(-1, in[i], 3);\n__syncthreads();", "its warp");
    fails("a sum that overflows", "out[i] = in[i] + 2147483600;", "signed integer overflow");
    fails("a shift by the width", "out[i] = 1 << (in[i] + 10);", "shift exponent");
    fails("a write behind an allocation", "out[64 + i] = 7;", "past its end");
    fails("inline assembly that is not known", "asm volatile(\"bar.sync 0;\");", "not emulated");
    fails("text that is not CUDA", "out[i] = no_such_function(i);", "no_such_function");

    int status = 0;
    said_by([&] { run(shared + "room[i + 1] = 1;\nout[i] = 1;"); }, status);
    must(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a write behind the shared memory");
    std::printf("found: a write behind the shared memory\n");
    for (const char *at : {"(1 << 20)", "-(1 << 20)", "(15 << 20)", "-(15 << 20)"}) {
        said_by([&] { run(shared + "if (i < 3) out[int64(i) + " + at + "] = 1;"); }, status);
        must(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a write far from an allocation");
    }
    std::printf("found: a write far from an allocation\n");

    // Memory and shared memory that were never written hold a pattern.
    start();
    must(run(shared + "out[i] = room[i];")[7] == int32_t(0xb5b5b5b5), "shared memory of any content");
    uint64_t at = 0;
    MUST(cuMemAlloc_v2(&at, 64));
    must(download<uint32_t>(at, 16)[3] == 0xa5a5a5a5, "memory of any content");
    MUST(cuMemFree_v2(at));
    std::printf("found: memory that was never written\n");
}
