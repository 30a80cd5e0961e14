// Registers of the instruction set that a file is compiled for, with the compiler's vector types,
// whose width is the only thing that differs. Only for the files that are compiled once for each
// instruction set: everything is local to them, since the linker would keep one copy of a shared
// function, and it might be the one that the machine cannot run.
#pragma once
#include <stddef.h>

#if defined(__F16C__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace chatmem {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

using u16 = unsigned short;
typedef float Vec __attribute__((vector_size(kLanes * 4)));
typedef unsigned VecU __attribute__((vector_size(kLanes * 4)));
typedef u16 VecU16 __attribute__((vector_size(kLanes * 2)));
// The same in memory, at any address.
typedef float VecMemory __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef u16 VecU16Memory __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

inline Vec splat(float x) { return x - Vec{}; }
inline Vec as_float(VecU x) { return reinterpret_cast<Vec>(x); }
inline VecU as_bits(Vec x) { return reinterpret_cast<VecU>(x); }
inline Vec select(VecU mask, Vec yes, Vec no) {
  return as_float((mask & as_bits(yes)) | (~mask & as_bits(no)));
}
inline VecU less(Vec a, Vec b) { return reinterpret_cast<VecU>(a < b); }
inline Vec vmax(Vec a, Vec b) { return select(less(a, b), b, a); }

// Keeps values in memory, from where an instruction takes one for all its lanes at no cost; moving
// them within registers is the bottleneck of some loops.
template <typename T>
inline void keep_in_memory(T& values) {
  __asm__("" : "+m"(values));
}

inline Vec load(const float* p) { return *reinterpret_cast<const VecMemory*>(p); }
inline void store(float* p, Vec x) { *reinterpret_cast<VecMemory*>(p) = x; }
inline Vec load_part(const float* p, size_t n) {
  Vec x = {};
  __builtin_memcpy(&x, p, n * sizeof(float));
  return x;
}
inline void store_part(float* p, Vec x, size_t n) { __builtin_memcpy(p, &x, n * sizeof(float)); }

// One rounding, where the instruction set has it.
inline Vec multiply_add(Vec a, Vec b, Vec c) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vec>(_mm512_fmadd_ps(
      reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
#elif defined(__FMA__)
  return reinterpret_cast<Vec>(_mm256_fmadd_ps(
      reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(c)));
#else
  return a * b + c;
#endif
}

inline float sum(Vec x) {
  float total = 0;
  for (int i = 0; i < kLanes; i++) total += x[i];
  return total;
}
inline float max_lane(Vec x) {
  float largest = x[0];
  for (int i = 1; i < kLanes; i++) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

inline VecU16 load16(const u16* p) { return *reinterpret_cast<const VecU16Memory*>(p); }
inline VecU16 load16_part(const u16* p, size_t n) {
  VecU16 x = {};
  __builtin_memcpy(&x, p, n * sizeof(u16));
  return x;
}

// Sources of dot products and conversions: what one element is, and how a register of them
// becomes f32.
struct F32 {
  using Element = float;
  static Vec at(const float* p) { return load(p); }
  static Vec part(const float* p, size_t n) { return load_part(p, n); }
};
struct Bf16 {
  using Element = u16;
  static Vec widen(VecU16 x) { return as_float(__builtin_convertvector(x, VecU) << 16); }
  static Vec at(const u16* p) { return widen(load16(p)); }
  static Vec part(const u16* p, size_t n) { return widen(load16_part(p, n)); }
};
struct F16 {
  using Element = u16;
  static Vec widen(VecU16 x) {
#if defined(__AVX512F__)
    return reinterpret_cast<Vec>(_mm512_maskz_cvtph_ps(0xFFFF, reinterpret_cast<__m256i>(x)));
#elif defined(__F16C__)
    return reinterpret_cast<Vec>(_mm256_cvtph_ps(reinterpret_cast<__m128i>(x)));
#else
    // The mantissa and exponent moved to their place in f32, then the bias corrected by a product,
    // which normalizes subnormal values too. Exponent 31 (infinity, NaN) becomes 255.
    const VecU bits = __builtin_convertvector(x, VecU), magnitude = (bits & 0x7FFF) << 13;
    const VecU special = reinterpret_cast<VecU>(magnitude >= 0x0F800000) & 0x7F800000;
    return as_float(as_bits(as_float(magnitude) * 0x1.0p112f) | special | (bits & 0x8000) << 16);
#endif
  }
  static Vec at(const u16* p) { return widen(load16(p)); }
  static Vec part(const u16* p, size_t n) { return widen(load16_part(p, n)); }
  // Round to nearest, ties to even; too large becomes infinite, a NaN stays a NaN.
  static VecU16 narrow(Vec x) {
#if defined(__AVX512F__)
    return reinterpret_cast<VecU16>(
        _mm512_maskz_cvtps_ph(0xFFFF, reinterpret_cast<__m512>(x), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__)
    return reinterpret_cast<VecU16>(
        _mm256_cvtps_ph(reinterpret_cast<__m256>(x), _MM_FROUND_TO_NEAREST_INT));
#else
    // Below 2^-14, adding 1/2 rounds to a multiple of 2^-24; else the exponent is moved.
    const VecU bits = as_bits(x), magnitude = bits & 0x7FFFFFFF;
    const VecU small = as_bits(as_float(magnitude) + 0.5f) - 0x3F000000;
    const VecU normal = (magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1)) >> 13;
    const VecU is_small = reinterpret_cast<VecU>(magnitude < 0x38800000);
    const VecU is_large = reinterpret_cast<VecU>(magnitude >= 0x477FF000);
    const VecU is_nan = reinterpret_cast<VecU>(magnitude > 0x7F800000);
    const VecU finite = (is_small & small) | (~is_small & normal);
    const VecU half = (is_large & (0x7C00 | (is_nan & 0x200))) | (~is_large & finite);
    return __builtin_convertvector(half | (bits >> 16 & 0x8000), VecU16);
#endif
  }
};

// Round to nearest, ties to even; a NaN stays a NaN. The result is in the upper half.
inline VecU round_bf16(Vec x) {
  const VecU bits = as_bits(x);
  const VecU is_nan = reinterpret_cast<VecU>((bits & 0x7FFFFFFF) > 0x7F800000);
  const VecU rounded = bits + 0x7FFF + (bits >> 16 & 1);
  return ((is_nan & (bits | 0x400000)) | (~is_nan & rounded)) & 0xFFFF0000;
}

}  // namespace
}  // namespace chatmem
