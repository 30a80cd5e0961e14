// Matrix products by oneDNN 2.6. Matrices stay as they are: a transposed operand is one with
// swapped strides. A primitive is compiled for one exact shape, which takes about a millisecond, so
// the last kMaxPrimitives are kept.
#include <dnnl_debug.h>
#include <fmt/format.h>
#include <omp.h>

#include <cstring>
#include <dnnl.hpp>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "compute/gemm.h"

namespace chatmem {
namespace {

constexpr size_t kMaxPrimitives = 256;

// Everything that a primitive is compiled for. Without padding, so that its bytes can be compared.
struct Key {
  int64_t m, n, k;
  int64_t a_row, a_col, b_row, b_col, c_row;
  int32_t a_dtype, b_dtype, c_dtype, accumulate;
  float scale;
  int32_t n_threads;

  bool operator==(const Key& other) const { return std::memcmp(this, &other, sizeof *this) == 0; }
};
static_assert(sizeof(Key) == 8 * sizeof(int64_t) + 6 * sizeof(int32_t));

struct KeyHash {
  size_t operator()(const Key& key) const {
    return hash64({reinterpret_cast<const char*>(&key), sizeof key});
  }
};

struct Primitive {
  Key key;
  dnnl::matmul matmul;
  dnnl::memory a, b, c, scratchpad;
  size_t scratchpad_bytes = 0;
};

dnnl::memory::data_type dnnl_type(DType dtype) {
  CHECK(dtype == DType::f32 || dtype == DType::bf16);
  return dtype == DType::f32 ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16;
}

dnnl::cpu_isa dnnl_isa(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return dnnl::cpu_isa::sse41;
    case Isa::avx2:
      return dnnl::cpu_isa::avx2;
    case Isa::avx2_vnni:
      return dnnl::cpu_isa::avx2_vnni;
    case Isa::avx512:
      return dnnl::cpu_isa::avx512_core_vnni;
    case Isa::avx512_bf16:
      return dnnl::cpu_isa::all;
  }
  return dnnl::cpu_isa::all;
}

// Runs body; an error of oneDNN becomes one of ours that says which product it was.
template <typename Body>
void named_errors(const GemmCall& call, const Body& body) {
  try {
    body();
  } catch (const dnnl::error& e) {
    throw Error(fmt::format("[gemm] oneDNN must compute ({} x {}) = ({} x {} {}) ({} x {} {}), "
                            "failed: {} ({})",
                            call.m, call.n, call.m, call.k, dtype_name(call.a.dtype), call.k,
                            call.n, dtype_name(call.b.dtype), e.what(), dnnl_status2str(e.status)),
                e.status == dnnl_out_of_memory ? "free memory, or use a smaller batch" : "");
  }
}

// How many threads oneDNN takes, which it asks OpenMP for when it compiles and when it runs.
class ThreadLimit {
 public:
  explicit ThreadLimit(int n) : before_(omp_get_max_threads()) {
    if (n != before_) omp_set_num_threads(n);
  }
  ~ThreadLimit() {
    if (omp_get_max_threads() != before_) omp_set_num_threads(before_);
  }
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  const int before_;
};

// Those that run one after the other, on n_threads.
class Primitives {
 public:
  Primitives(const dnnl::engine& engine, int n_threads) : engine_(engine), n_threads_(n_threads) {}

  void run(const GemmCall& call, dnnl::stream& stream) {
    const ThreadLimit limit(n_threads_);
    Primitive& p = primitive_of(call);
    p.a.set_data_handle(const_cast<void*>(call.a.data));  // oneDNN does not write its sources
    p.b.set_data_handle(const_cast<void*>(call.b.data));
    p.c.set_data_handle(call.c);
    p.scratchpad.set_data_handle(scratch_.reserve<char>(p.scratchpad_bytes));
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, p.a.get()},
                                    {DNNL_ARG_WEIGHTS, p.b.get()},
                                    {DNNL_ARG_DST, p.c.get()},
                                    {DNNL_ARG_SCRATCHPAD, p.scratchpad.get()}};
    dnnl::error::wrap_c_api(dnnl_primitive_execute(p.matmul.get(), stream.get(), 4, args),
                            "matmul failed");
    stream.wait();
  }

  size_t scratch_bytes() const { return scratch_.size_bytes(); }

 private:
  Primitive& primitive_of(const GemmCall& call) {
    const Key key = {call.m,
                     call.n,
                     call.k,
                     int64_t(call.a.row_stride),
                     int64_t(call.a.col_stride),
                     int64_t(call.b.row_stride),
                     int64_t(call.b.col_stride),
                     int64_t(call.c_stride),
                     int32_t(call.a.dtype),
                     int32_t(call.b.dtype),
                     int32_t(call.c_dtype),
                     int32_t(call.accumulate),
                     call.scale,
                     n_threads_};
    if (const auto found = index_.find(key); found != index_.end()) {
      recent_.splice(recent_.begin(), recent_, found->second);
      return recent_.front();
    }
    if (recent_.size() >= kMaxPrimitives) {
      index_.erase(recent_.back().key);
      recent_.pop_back();
    }
    recent_.push_front(compile(key, call));
    index_[key] = recent_.begin();
    return recent_.front();
  }

  Primitive compile(const Key& key, const GemmCall& call) {
    using Desc = dnnl::memory::desc;
    const Desc a({key.m, key.k}, dnnl_type(call.a.dtype), {key.a_row, key.a_col});
    const Desc b({key.k, key.n}, dnnl_type(call.b.dtype), {key.b_row, key.b_col});
    const Desc c({key.m, key.n}, dnnl_type(call.c_dtype), {key.c_row, 1});
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    if (call.scale != 1) attr.set_output_scales(0, {call.scale});
    if (call.accumulate == Accumulate::yes) {
      dnnl::post_ops sum;
      sum.append_sum(1);
      attr.set_post_ops(sum);
    }
    const dnnl::matmul::primitive_desc pd({a, b, c}, attr, engine_);
    Primitive p = {key,
                   dnnl::matmul(pd),
                   dnnl::memory(a, engine_, nullptr),
                   dnnl::memory(b, engine_, nullptr),
                   dnnl::memory(c, engine_, nullptr),
                   dnnl::memory(pd.scratchpad_desc(), engine_, nullptr),
                   pd.scratchpad_desc().get_size()};
    return p;
  }

  const dnnl::engine& engine_;
  const int n_threads_;
  std::list<Primitive> recent_;  // the last used first
  std::unordered_map<Key, std::list<Primitive>::iterator, KeyHash> index_;
  Buffer scratch_;
};

class DnnlGemm : public Gemm {
 public:
  explicit DnnlGemm(const CpuDevice& device) : device_(device) {
    // Fails once a primitive exists: then the limit of the first device stays.
    dnnl_set_max_cpu_isa(static_cast<dnnl_cpu_isa_t>(dnnl_isa(device.isa)));
    named_errors({}, [&] {
      dnnl::set_primitive_cache_capacity(0);  // ours are the only ones, so that the bound is one
      engine_ = dnnl::engine(dnnl::engine::kind::cpu, 0);
      for (int thread = 0; thread < device.n_threads; thread++) {
        alone_.emplace_back(engine_, 1);
        streams_.emplace_back(engine_);
      }
    });
  }

  bool supports(DType a, DType b, DType c) const override {
    if (a == DType::f32 && b == DType::f32) return c == DType::f32;
    return device_.isa == Isa::avx512_bf16 && a == DType::bf16 && b == DType::bf16 &&
           (c == DType::bf16 || c == DType::f32);
  }

  void run(const GemmCall& call) override {
    named_errors(call, [&] { together_.run(call, streams_.front()); });
  }

  void run_alone(const GemmCall& call, int thread) override {
    named_errors(call, [&] { alone_[size_t(thread)].run(call, streams_[size_t(thread)]); });
  }

  size_t scratch_bytes() const override {
    size_t bytes = together_.scratch_bytes();
    for (const Primitives& primitives : alone_) bytes += primitives.scratch_bytes();
    return bytes;
  }

 private:
  const CpuDevice& device_;
  dnnl::engine engine_;
  std::vector<dnnl::stream> streams_;  // of each thread
  Primitives together_{engine_, device_.n_threads};
  std::vector<Primitives> alone_;
};

}  // namespace

std::unique_ptr<Gemm> make_dnnl_gemm(const CpuDevice& device) {
  return std::make_unique<DnnlGemm>(device);
}

}  // namespace chatmem
