// The emulated matrix instruction against a product by the definition, through the text that CubeCL
// writes for it: all four mixes of signs, extremes, and sums that wrap.

#include <cstring>

#include "support.h"

namespace {

// As cubecl-cpp's `mma_template` writes it; `a` and `b` are int8 or uint8.
std::string source(const std::string &a, const std::string &b) {
    auto ptx = [](const std::string &type) { return type == "int8" ? "s8" : "u8"; };
    std::string name = "__mma_m16n8k32_" + a + "_" + b + "_int32";
    std::string text = prelude();
    text += "\ninline __device__ void\n" + name +
            "(uint32 const &reg_a_0, uint32 const &reg_a_1, uint32 const &reg_a_2, uint32 const &reg_a_3, "
            "uint32 const &reg_b_0, uint32 const &reg_b_1, uint32 const &reg_c_0, uint32 const &reg_c_1, "
            "uint32 const &reg_c_2, uint32 const &reg_c_3, uint32 &reg_d_0, uint32 &reg_d_1, "
            "uint32 &reg_d_2, uint32 &reg_d_3) {\n"
            "  asm volatile(\"mma.sync.aligned.m16n8k32.row.col.s32." +
            ptx(a) + "." + ptx(b) +
            ".s32\"\n"
            "               \" {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};\"\n"
            "               : \"=r\"(reg_d_0), \"=r\"(reg_d_1), \"=r\"(reg_d_2), \"=r\"(reg_d_3)\n"
            "               : \"r\"(reg_a_0), \"r\"(reg_a_1), \"r\"(reg_a_2), \"r\"(reg_a_3), "
            "\"r\"(reg_b_0), \"r\"(reg_b_1), \"r\"(reg_c_0), \"r\"(reg_c_1), \"r\"(reg_c_2), "
            "\"r\"(reg_c_3));\n    }\n";
    // One warp a product. The registers by the PTX ISA's figures, word by word: A is [16, 32] by rows, B
    // [32, 8] by columns, C and D [16, 8] by rows.
    text += "\nextern \"C\" __global__ void __launch_bounds__(64)product (\n"
            "const uint32* __restrict__ a, const uint32* __restrict__ b, const uint32* __restrict__ c, "
            "uint32* d\n) {\n"
            "uint at = blockIdx.x * 2 + threadIdx.x / 32; uint lane = threadIdx.x % 32;\n"
            "uint g = lane / 4, t = lane % 4;\n"
            "a += at * 128; b += at * 64; c += at * 128; d += at * 128;\n"
            "uint32 out[4];\n" +
            name +
            "(a[g * 8 + t], a[(g + 8) * 8 + t], a[g * 8 + 4 + t], a[(g + 8) * 8 + 4 + t], "
            "b[g * 8 + t], b[g * 8 + 4 + t], "
            "c[g * 8 + 2 * t], c[g * 8 + 2 * t + 1], c[(g + 8) * 8 + 2 * t], c[(g + 8) * 8 + 2 * t + 1], "
            "out[0], out[1], out[2], out[3]);\n"
            "d[g * 8 + 2 * t] = out[0]; d[g * 8 + 2 * t + 1] = out[1];\n"
            "d[(g + 8) * 8 + 2 * t] = out[2]; d[(g + 8) * 8 + 2 * t + 1] = out[3];\n}\n";
    return text;
}

uint64_t random_state = 0x1234567;
uint32_t random_word() {
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return uint32_t(random_state >> 33) ^ uint32_t(random_state);
}

constexpr size_t PRODUCTS = 64;

void check(const std::string &a_type, const std::string &b_type) {
    std::vector<uint8_t> a(PRODUCTS * 512), b(PRODUCTS * 256);
    std::vector<uint32_t> c(PRODUCTS * 128);
    const uint8_t extremes[] = {0, 1, 127, 128, 129, 255};
    // Every other product is of extremes only.
    auto byte = [&](size_t product) {
        uint32_t word = random_word();
        return product % 2 ? extremes[word % 6] : uint8_t(word >> 8);
    };
    for (size_t i = 0; i < a.size(); ++i) a[i] = byte(i / 512);
    for (size_t i = 0; i < b.size(); ++i) b[i] = byte(i / 256);
    for (auto &word : c) word = random_word() % 3 ? random_word() : 0x7fffffff;

    void *function = kernel(source(a_type, b_type), "product");
    uint64_t on_a = upload(a), on_b = upload(b), on_c = upload(c), on_d = upload(c);
    MUST(launch(function, PRODUCTS / 2, 64, 0, {on_a, on_b, on_c, on_d}));
    auto d = download<uint32_t>(on_d, c.size());

    auto value = [](uint8_t byte, const std::string &type) {
        return type == "int8" ? int64_t(int8_t(byte)) : int64_t(byte);
    };
    for (size_t p = 0; p < PRODUCTS; ++p)
        for (size_t row = 0; row < 16; ++row)
            for (size_t column = 0; column < 8; ++column) {
                size_t at = p * 128 + row * 8 + column;
                int64_t sum = int32_t(c[at]);
                for (size_t k = 0; k < 32; ++k)
                    sum += value(a[p * 512 + row * 32 + k], a_type) *
                           value(b[p * 256 + column * 32 + k], b_type);
                must(d[at] == uint32_t(sum), "an element of a product");
            }
    for (uint64_t at : {on_a, on_b, on_c, on_d}) MUST(cuMemFree_v2(at));
    std::printf("mma m16n8k32 %s x %s: %zu products\n", a_type.c_str(), b_type.c_str(), PRODUCTS);
}

}  // namespace

int main() {
    start();
    for (const char *a : {"int8", "uint8"})
        for (const char *b : {"int8", "uint8"}) check(a, b);
}
