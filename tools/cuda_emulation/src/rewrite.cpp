#include "rewrite.h"

#include <algorithm>
#include <regex>
#include <vector>

namespace emulation {

namespace {

// All operands in brackets, such as reg_a_0 of "r"(reg_a_0).
std::vector<std::string> operands(const std::string &list) {
    static const std::regex OPERAND(R"re("=?r"\((\w+)\))re");
    std::vector<std::string> all;
    for (std::sregex_iterator at(list.begin(), list.end(), OPERAND), end; at != end; ++at)
        all.push_back((*at)[1]);
    return all;
}

// Calls of the emulated matrix instruction for the inline assembly, which must name its registers in the
// instruction's order.
std::string matrix_instructions(const std::string &source, std::string &error) {
    static const std::regex INSTRUCTION(
        R"re(asm volatile\("mma\.sync\.aligned\.m16n8k32\.row\.col\.s32\.([su])8\.([su])8\.s32"\s*"([^"]*)"\s*:([^:;]*):([^:;]*)\);)re");
    const std::string REGISTERS =
        " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%10, %11, %12, %13};";
    std::string text;
    auto from = source.cbegin();
    for (std::smatch found; std::regex_search(from, source.cend(), found, INSTRUCTION);) {
        auto out = operands(found[4]), in = operands(found[5]);
        if (found[3] != REGISTERS || out.size() != 4 || in.size() != 10) {
            error = "a matrix instruction with other registers than expected";
            return text;
        }
        auto type = [&](int i) { return found[i] == "s" ? "signed char" : "unsigned char"; };
        text.append(from, found[0].first);
        text += "::emulation::mma_m16n8k32<" + std::string(type(1)) + ", " + type(2) + ">(__LINE__";
        for (auto &name : in) text += ", " + name;
        for (auto &name : out) text += ", " + name;
        text += ");";
        // The lines after it keep their numbers.
        text.append(size_t(std::count(found[0].first, found[0].second, '\n')), '\n');
        from = found[0].second;
    }
    text.append(from, source.cend());
    return text;
}

}  // namespace

Rewritten rewrite(const std::string &source, const std::string &path) {
    static const std::regex KERNEL(
        R"re(extern "C" __global__ void __launch_bounds__\((\d+)\)\s*(\w+)\s*\()re");
    static const std::regex SHARED(R"re(extern __shared__ __align__\(\d+\) uint8 (\w+)\[\];)re");
    static const std::regex UNKNOWN(R"re(\basm\b|\b__shared__\b)re");
    Rewritten made;
    std::smatch kernel;
    if (!std::regex_search(source, kernel, KERNEL)) {
        made.error = "no kernel of the form that CubeCL writes";
        return made;
    }
    made.name = kernel[2];
    std::string text = matrix_instructions(source, made.error);
    if (!made.error.empty()) return made;
    text = std::regex_replace(text, SHARED, "uint8 *const $1 = ::emulation::self()->shared;");
    std::smatch unknown;
    if (std::regex_search(text, unknown, UNKNOWN)) {
        made.error = "this is not emulated: " + std::string(unknown[0].first, std::find(unknown[0].first, text.cend(), '\n'));
        return made;
    }
    std::string head = "#include \"cuda_runtime.h\"\n#include \"emulation_mma.h\"\n#line 1 \"" + path + "\"\n";
    std::string tail = "\n#line 1 \"the kernel's description\"\n"
        "static void emulation_run(void **arguments) { ::emulation::call(&" + made.name + ", arguments); }\n"
        "extern \"C\" { __attribute__((visibility(\"default\"))) extern const ::emulation::Kernel emulation_kernel; }\n"
        "const ::emulation::Kernel emulation_kernel = {EMULATION_VERSION, \"" + made.name + "\", "
        "::emulation::count(&" + made.name + "), ::emulation::pointers(&" + made.name + "), " +
        std::string(kernel[1]) + ", emulation_run};\n";
    made.text = head + text + tail;
    return made;
}

}  // namespace emulation
