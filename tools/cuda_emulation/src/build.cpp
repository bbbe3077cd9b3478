#include "build.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "report.h"
#include "rewrite.h"

namespace emulation {

namespace {

// Where this library lies.
const std::string &home() {
    static const std::string path = [] {
        Dl_info info;
        if (!dladdr(reinterpret_cast<void *>(&digest), &info)) die("the library does not know its place");
        char *real = realpath(info.dli_fname, nullptr);
        std::string file = real ? real : info.dli_fname;
        std::free(real);
        return file.substr(0, file.rfind('/'));
    }();
    return path;
}

std::vector<std::string> words(const char *text) {
    std::istringstream stream(text ? text : "");
    std::vector<std::string> all;
    for (std::string word; stream >> word;) all.push_back(word);
    return all;
}

// Undefined behaviour (a signed overflow, a shift by the width, ...) ends the program with a message:
// a real compiler may make anything of it. Shifts of negative numbers to the left are left alone, since
// CUDA defines them; so does C++20.
std::vector<std::string> flags() {
    std::vector<std::string> all = {"-std=c++20", "-O1", "-fPIC", "-shared", "-w", "-fno-strict-aliasing",
                                    "-fno-exceptions", "-fno-rtti", "-fvisibility=hidden",
                                    "-I" + home() + "/include"};
    if (number("LMZ_EMULATION_SANITIZE", 1)) {
        all.push_back("-fsanitize=signed-integer-overflow,shift,integer-divide-by-zero,alignment,bounds");
        all.push_back("-fno-sanitize-recover=all");
    }
    for (auto &word : words(std::getenv("LMZ_EMULATION_FLAGS"))) all.push_back(word);
    return all;
}

// What an object depends on beside its source.
const std::string &surroundings() {
    static const std::string all = [] {
        std::string text;
        for (const char *name : {"cuda_runtime.h", "emulation.h", "emulation_mma.h"}) {
            std::string header = read(home() + "/include/" + name);
            if (header.empty()) die("%s/include/%s is missing", home().c_str(), name);
            text += header;
        }
        for (auto &flag : flags()) text += flag + '\n';
        return text;
    }();
    return all;
}

// Runs a program with its output in a file. Its exit status.
int run(const std::vector<std::string> &command, const std::string &output) {
    std::vector<char *> arguments;
    for (auto &word : command) arguments.push_back(const_cast<char *>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t child = fork();
    if (child == 0) {
        if (!std::freopen(output.c_str(), "w", stderr)) _exit(126);
        // The compiler must not be emulated on.
        unsetenv("LD_LIBRARY_PATH");
        unsetenv("LD_PRELOAD");
        execvp(arguments[0], arguments.data());
        std::perror(arguments[0]);
        _exit(127);
    }
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

const std::string &cache() {
    static const std::string path = [] {
        std::string at = home() + "/cache";
        mkdir(at.c_str(), 0777);
        return at;
    }();
    return path;
}

std::string digest(const std::string &bytes) {
    // FNV-1a over 128 bits.
    unsigned __int128 hash = (unsigned __int128)(0x6c62272e07bb0142) << 64 | 0x62b821756295c58d;
    const unsigned __int128 prime = (unsigned __int128)(0x1000000) << 64 | 0x13b;
    for (unsigned char byte : bytes) hash = (hash ^ byte) * prime;
    char text[33];
    std::snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)(hash >> 64),
                  (unsigned long long)hash);
    return text;
}

std::string read(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
}

bool write(const std::string &path, const std::string &bytes) {
    static std::atomic<unsigned> count{0};
    std::string part = path + "." + std::to_string(getpid()) + "." + std::to_string(count++);
    std::ofstream file(part, std::ios::binary);
    file << bytes;
    file.close();
    return file.good() && std::rename(part.c_str(), path.c_str()) == 0;
}

bool build(const std::string &source, std::string &object, std::string &log) {
    std::string stem = cache() + "/" + digest(surroundings() + source);
    object = stem + ".so";
    if (access(object.c_str(), R_OK) == 0) return true;
    Rewritten made = rewrite(source, stem + ".cu");
    if (!made.error.empty()) {
        log = made.error;
        return false;
    }
    // Several processes may build the same at once: each its own, and the last one's stays.
    std::string part = stem + "." + std::to_string(getpid());
    std::string text = part + ".cpp", output = part + ".log", so = part + ".so";
    if (!write(stem + ".cu", source) || !write(text, made.text)) {
        log = "the cache " + cache() + " cannot be written";
        return false;
    }
    const char *compiler = std::getenv("LMZ_EMULATION_CXX");
    std::vector<std::string> command = words(compiler && *compiler ? compiler : "g++");
    for (auto &flag : flags()) command.push_back(flag);
    for (auto &word : {std::string("-o"), so, text}) command.push_back(word);
    int status = run(command, output);
    log = read(output);
    unlink(output.c_str());
    if (status != 0) {
        // The text stays, to be looked at.
        log = made.name + ": g++ refuses " + text + "\n" + log;
        return false;
    }
    unlink(text.c_str());
    return std::rename(so.c_str(), object.c_str()) == 0;
}

}  // namespace emulation
