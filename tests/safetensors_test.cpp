// safetensors: what is written is read back; every way a header can lie is refused by name.
#include "format/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "base/error.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Tensors = std::map<std::string, TensorInfo>;

std::string file_of(std::string_view header, std::string_view data = "") {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; i++) bytes[i] = char(uint64_t(header.size()) >> 8 * i);
  return bytes.append(header).append(data);
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string error_of_file(const std::string& file) {
  Tensors tensors;
  std::map<std::string, std::string> metadata;
  try {
    parse_safetensors(bytes_of(file), "'x'", tensors, metadata);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

std::string error_of(std::string_view header, std::string_view data = "") {
  return error_of_file(file_of(header, data));
}

TEST(Safetensors, WrittenIsReadBack) {
  TestFolder folder;
  const fs::path path = folder.path() / "sub/a.safetensors";
  const Tensors tensors = {{"b16", {DType::bf16, {3}, bytes_of("abcdef")}},
                           {"a16", {DType::f16, {1, 2}, bytes_of("ghij")}},
                           {"z32", {DType::f32, {2, 1}, bytes_of("12345678")}},
                           {"scalar", {DType::i64, {}, bytes_of("ABCDEFGH")}},
                           {"none", {DType::f32, {0, 5}, {}}},
                           {"byte \"\xC3\xA9", {DType::u8, {1}, bytes_of("!")}}};
  write_safetensors(path, tensors, {{"made", "here"}});

  const SafetensorsFile file(path);
  EXPECT_EQ(file.path(), path);
  EXPECT_THAT(file.metadata(), ElementsAre(std::pair("format", "pt"), std::pair("made", "here")));
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const auto& [name, info] : tensors) {
    const TensorInfo& read = file.tensors().at(name);
    EXPECT_EQ(read.dtype, info.dtype) << name;
    EXPECT_EQ(read.shape, info.shape) << name;
    EXPECT_EQ(text_of(read.bytes), text_of(info.bytes)) << name;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(read.bytes.data()) % dtype_bytes(info.dtype), 0u) << name;
  }
  EXPECT_TRUE(read_file(path).ends_with("ABCDEFGH12345678ghijabcdef!"));  // by alignment, then name
}

TEST(Safetensors, TheSourceIsAskedInTheOrderOfTheFile) {
  TestFolder folder;
  std::string asked, buffer;
  write_safetensors(folder.path() / "a",
                    {{"b", {DType::u8, {1}, {}}}, {"c", {DType::f32, {1}, {}}}}, {},
                    [&](const std::string& name) {
                      asked += name;
                      buffer = name == "b" ? "!" : "1234";
                      return bytes_of(buffer);
                    });
  EXPECT_EQ(asked, "cb");
  EXPECT_TRUE(read_file(folder.path() / "a").ends_with("1234!"));
}

TEST(Safetensors, ReadsTheHeaderOfOtherWriters) {
  Tensors tensors;
  std::map<std::string, std::string> metadata;
  const std::string file = file_of(
      R"({ "x" : {"data_offsets":[0,4],"shape":[2],"dtype":"BF16","extra":{"a":1}}}   )", "1234");
  parse_safetensors(bytes_of(file), "'x'", tensors, metadata);
  EXPECT_EQ(text_of(tensors.at("x").bytes), "1234");
  EXPECT_TRUE(metadata.empty());
  EXPECT_EQ(error_of("{}"), "no error");
}

TEST(Safetensors, LengthOfTheHeader) {
  EXPECT_THAT(error_of_file(""), HasSubstr("at least 8 bytes, has 0"));
  EXPECT_THAT(error_of_file("1234567"), HasSubstr("at least 8 bytes, has 7"));
  std::string past = file_of("{}");
  past[0] = 3;
  EXPECT_THAT(error_of_file(past), HasSubstr("it has 3 bytes, 2 are left"));
  past[7] = '\xFF';
  EXPECT_THAT(error_of_file(past), HasSubstr("longer than 100000000 bytes"));
}

TEST(Safetensors, HeadersThatAreNotOne) {
  EXPECT_THAT(error_of(""), HasSubstr("begin with '{'"));
  EXPECT_THAT(error_of("[]"), HasSubstr("begin with '{'"));
  EXPECT_THAT(error_of("{"), HasSubstr("valid JSON"));
  EXPECT_THAT(error_of("{} {}"), HasSubstr("valid JSON"));
  EXPECT_THAT(error_of("{\"\xFF\":1}"), HasSubstr("valid JSON"));
  EXPECT_THAT(error_of(std::string_view("{}\0x", 4)), HasSubstr("NUL"));
  EXPECT_THAT(error_of(R"({"x":1})"), HasSubstr("tensor 'x' must be an object"));
  EXPECT_THAT(error_of("{\"x\":{\"y\":" + std::string(100000, '[')), HasSubstr("nested deeper"));
  EXPECT_THAT(error_of(R"({"__metadata__":[]})"), HasSubstr("must be an object"));
  EXPECT_THAT(error_of(R"({"__metadata__":{"a":1}})"), HasSubstr("'a' must be a string"));
}

TEST(Safetensors, DuplicateKeys) {
  const std::string x = R"("x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_THAT(error_of("{" + x + "," + x + "}", "1"), HasSubstr("'x' is"));
  EXPECT_THAT(
      error_of(R"({"x":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "1"),
      HasSubstr("'dtype' is"));
}

// One tensor of four bytes whose parts are replaced.
std::string error_of_entry(std::string_view dtype, std::string_view shape, std::string_view offsets,
                           std::string_view data = "1234") {
  return error_of("{\"x\":{\"dtype\":" + std::string(dtype) + ",\"shape\":" + std::string(shape) +
                      ",\"data_offsets\":" + std::string(offsets) + "}}",
                  data);
}

TEST(Safetensors, Entries) {
  EXPECT_EQ(error_of_entry(R"("F32")", "[1]", "[0,4]"), "no error");
  EXPECT_THAT(error_of_entry(R"("F8_E4M3")", "[4]", "[0,4]"),
              HasSubstr("dtype of tensor 'x' must be one of F32, BF16, F16, I32, I64, U8, is "
                        "\"F8_E4M3\""));
  EXPECT_THAT(error_of_entry("7", "[4]", "[0,4]"), HasSubstr("is 7"));
  EXPECT_THAT(error_of_entry(R"("F32")", "1", "[0,4]"), HasSubstr("shape of tensor 'x'"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[-1]", "[0,4]"), HasSubstr("found -1"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[1.0]", "[0,4]"), HasSubstr("found 1.0"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[99999999999999999999]", "[0,4]"),
              HasSubstr("found 1e+20"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[18446744073709551615]", "[0,4]"), HasSubstr("found 18"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[4294967296,4294967296]", "[0,4]"),
              HasSubstr("size below 2^63"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[4611686018427387904,4]", "[0,0]", ""),
              HasSubstr("size below 2^63"));
  EXPECT_THAT(error_of_entry(R"("U8")", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,4]", "[0,4]"),
              HasSubstr("at most 16"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[1]", "[0]"), HasSubstr("must be [begin, end]"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[1]", "[-4,0]"), HasSubstr("found -4"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[1]", "[4,0]"), HasSubstr("must increase"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[2]", "[0,4]"),
              HasSubstr("tensor 'x' must have 8 bytes by its shape and dtype, has 4"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[1]", "[1,5]", "12345"), HasSubstr("(hole)"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[1]", "[0,4]", "12345"),
              HasSubstr("need 4 bytes, the file has 5"));
  EXPECT_THAT(error_of_entry(R"("F32")", "[1]", "[0,4]", "123"),
              HasSubstr("need 4 bytes, the file has 3"));
  EXPECT_THAT(error_of(R"({"x":{"shape":[1],"data_offsets":[0,1]}})", "1"),
              HasSubstr("tensor 'x' must have 'dtype'"));
}

std::string error_of_two(std::string_view first, std::string_view second) {
  return error_of(R"({"x":{"dtype":"U8","shape":[2],"data_offsets":)" + std::string(first) +
                      R"(},"y":{"dtype":"U8","shape":[2],"data_offsets":)" + std::string(second) +
                      "}}",
                  "1234");
}

TEST(Safetensors, TensorsMustFillTheData) {
  EXPECT_EQ(error_of_two("[0,2]", "[2,4]"), "no error");
  EXPECT_EQ(error_of_two("[2,4]", "[0,2]"), "no error");
  EXPECT_THAT(error_of_two("[0,2]", "[1,3]"), HasSubstr("tensor 'y' must begin at byte 2"));
  EXPECT_THAT(error_of_two("[0,2]", "[1,3]"), HasSubstr("(overlap)"));
  EXPECT_THAT(error_of_two("[0,2]", "[0,2]"), HasSubstr("(overlap)"));
  EXPECT_THAT(error_of_two("[0,2]", "[3,5]"), HasSubstr("(hole)"));
}

TEST(Safetensors, FilesCutAnywhereAreRefused) {
  TestFolder folder;
  const fs::path path = folder.path() / "a";
  write_safetensors(path, {{"x", {DType::f32, {2}, bytes_of("12345678")}}});
  const std::string whole = read_file(path);
  for (size_t size = 0; size < whole.size(); size++)
    EXPECT_NE(error_of_file(whole.substr(0, size)), "no error") << size;
  folder.write("b", whole.substr(0, 20));
  EXPECT_THROW(SafetensorsFile(folder.path() / "b"), Error);
  folder.write("empty", "");
  EXPECT_THROW(SafetensorsFile(folder.path() / "empty"), Error);
}

}  // namespace
}  // namespace chatmem
