#include "app/resident.hpp"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace handyrep::app {

namespace {

int forget_segments(dl_phdr_info* object, std::size_t /*size*/, void* /*unused*/) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const ElfW(Phdr)& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
        const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) / page * page;
        const std::uintptr_t end = object->dlpi_addr + segment.p_vaddr + segment.p_memsz;
        void* const at = reinterpret_cast<void*>(begin);  // NOLINT: an address is what the loader tells
        // A kernel that will not do it leaves everything as it was.
        static_cast<void>(::madvise(at, end - begin, MADV_RANDOM));
        static_cast<void>(::madvise(at, end - begin, MADV_DONTNEED));
    }
    return 0;
}

}  // namespace

void forget_startup_pages() { static_cast<void>(::dl_iterate_phdr(forget_segments, nullptr)); }

}  // namespace handyrep::app
