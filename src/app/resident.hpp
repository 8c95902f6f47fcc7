// app/resident.hpp — what of the program's own text stays in memory.
#pragma once

namespace handyrep::app {

/// Starting touches much code once. This lets the kernel forget the read-only pages of program and libraries and map again
/// only those that are used, without their neighbours: the daemon at rest needs few of them. Nothing is lost: they are in files.
void forget_startup_pages();

}  // namespace handyrep::app
