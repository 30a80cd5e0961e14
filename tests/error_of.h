// What an action fails with, for a test to read.
#pragma once
#include <string>
#include <utility>

#include "base/error.h"

namespace chatmem {

// The message of the Error that the action throws; "no error" when it throws none.
template <typename Action>
std::string error_of(Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace chatmem
