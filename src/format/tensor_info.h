// A tensor of a file: its type, its shape, where its bytes lie; and the bytes of one to be written.
#pragma once
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/dtype.h"

namespace chatmem {

struct TensorInfo {
  DType dtype = DType::f32;
  std::vector<int64_t> shape;        // the elements of a row last
  std::span<const std::byte> bytes;  // of the mapped file
};

// The bytes of a tensor, wanted once, in the order of the file; they may be overwritten by the next
// call, so that a model on a device needs host memory for one tensor only.
using TensorSource = std::function<std::span<const std::byte>(const std::string& name)>;

}  // namespace chatmem
