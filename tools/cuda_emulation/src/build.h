// g++, and the objects that it has made.
#pragma once

#include <string>

namespace emulation {

// Where objects are kept: "cache" beside these libraries.
const std::string &cache();

// A name for bytes: 128 bits in hexadecimal.
std::string digest(const std::string &bytes);

// The bytes of a file; empty if there is none.
std::string read(const std::string &path);
// Writes a file under its final name only when it is complete.
bool write(const std::string &path, const std::string &bytes);

// The shared object of a kernel's source, built if need be. On failure false, and `log` says why.
bool build(const std::string &source, std::string &object, std::string &log);

}  // namespace emulation
