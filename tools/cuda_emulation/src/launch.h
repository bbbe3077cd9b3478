// Launches, and how a device is lost in one.
#pragma once

namespace emulation {

// Whether the device has failed, as LMZ_EMULATION_LOST asks: "N" lets the N-th launch of the process and
// every call after it fail, "N:later" lets that launch seem to succeed, as one that fails while it runs, and "0" never loses it.
bool lost();

}  // namespace emulation
