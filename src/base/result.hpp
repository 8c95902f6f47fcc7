// base/result.hpp — a value or an Error. Ask `if (!result)`, then `*result` or `result.error()`; never `.value()`.
#pragma once

#include "base/error.hpp"

#include <boost/system/result.hpp>

#include <stdexcept>

namespace handyrep {

template <class T>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
public:
    using boost::system::result<T, Error>::result;
};

}  // namespace handyrep

namespace boost::system {
/// Only `.value()` would call this, and nothing here calls `.value()`; the library wants to know how to throw.
[[noreturn]] inline void throw_exception_from_error(const handyrep::Error& error, const source_location& /*where*/) {
    throw std::logic_error(error.text());
}
}  // namespace boost::system
