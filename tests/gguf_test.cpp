// GGUF: what is written is read back; every way a file can lie is refused by name.
#include "format/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "error_of.h"
#include "test_folder.h"

namespace chatmem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Tensors = std::map<std::string, GgufTensor>;

std::span<const std::byte> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A file byte by byte, so that it can lie.
struct Bytes {
  std::string text;
  Bytes& number(uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) text += char(value >> 8 * i);
    return *this;
  }
  Bytes& string(std::string_view s) {
    number(s.size(), 8);
    text += s;
    return *this;
  }
  Bytes& key(std::string_view name, GgufType type) {
    return string(name).number(uint64_t(type), 4);
  }
  Bytes& array(GgufType type, uint64_t count) { return number(uint64_t(type), 4).number(count, 8); }
  Bytes& tensor(std::string_view name, const std::vector<uint64_t>& extents, uint64_t type,
                uint64_t offset) {
    string(name).number(extents.size(), 4);
    for (const uint64_t extent : extents) number(extent, 8);
    return number(type, 4).number(offset, 8);
  }
  Bytes& data(size_t size) {
    text.resize((text.size() + 31) / 32 * 32);
    text.append(size, 'x');
    return *this;
  }
};

Bytes header(uint64_t n_tensors, uint64_t n_keys, uint64_t version = 3) {
  Bytes bytes{"GGUF"};
  return bytes.number(version, 4).number(n_tensors, 8).number(n_keys, 8);
}

struct Parsed {
  GgufMetadata metadata;
  Tensors tensors;
};

Parsed parse(const std::string& file) {
  Parsed parsed;
  parse_gguf(bytes_of(file), "'x'", parsed.metadata, parsed.tensors);
  return parsed;
}

std::string error_of_file(const Bytes& file) {
  return error_of([&] { parse(file.text); });
}

TEST(Gguf, WrittenIsReadBack) {
  TestFolder folder;
  const fs::path path = folder.path() / "sub/a.gguf";
  GgufMetadata metadata = {
      {"u8", {GgufType::u8, uint64_t(255)}},
      {"i8", {GgufType::i8, int64_t(-128)}},
      {"u16", {GgufType::u16, uint64_t(65535)}},
      {"i16", {GgufType::i16, int64_t(-2)}},
      {"u32", GgufValue::of(uint32_t(4'000'000'000))},
      {"i32", {GgufType::i32, int64_t(-5)}},
      {"f32", GgufValue::of(1e-5f)},
      {"yes", GgufValue::flag(true)},
      {"text", GgufValue::of("a\xC3\xA9")},
      {"u64", {GgufType::u64, UINT64_MAX}},
      {"i64", {GgufType::i64, INT64_MIN}},
      {"f64", {GgufType::f64, 0.1}},
      {"words", GgufValue::of(std::vector<std::string>{"", "two words", "x"})},
      {"ints", GgufValue::of(std::vector<int64_t>{-1, 3})},
      {"floats", {GgufType::f32, std::vector<double>{0.5, -2}}},
      {"flags", {GgufType::boolean, std::vector<uint64_t>{1, 0}}},
      {"none", {GgufType::u16, std::vector<uint64_t>{}}},
      {"lists",
       {GgufType::array, std::vector<GgufValue>{GgufValue::of(std::vector<std::string>{"a", "b"}),
                                                GgufValue::of(std::vector<int64_t>{7})}}}};
  const std::string f32(24, 'f'), bf16(6, 'b'), q8(2 * 2 * 34, 'q');
  write_gguf(path, metadata,
             {{"b", {DType::bf16, {3}, bytes_of(bf16)}},
              {"a", {DType::f32, {3, 2}, bytes_of(f32)}},
              {"q", {DType::q8_0, {2, 64}, bytes_of(q8)}}});

  const GgufFile file(path);
  metadata["general.alignment"] = GgufValue::of(uint32_t(32));
  ASSERT_EQ(file.metadata().size(), metadata.size());
  for (const auto& [key, value] : metadata) {
    const GgufValue* read = file.find(key);
    ASSERT_TRUE(read) << key;
    EXPECT_EQ(read->type, value.type) << key;
    if (key == "lists") {
      const auto& lists = *read->get<std::vector<GgufValue>>();
      ASSERT_EQ(lists.size(), 2u);
      EXPECT_THAT(*lists[0].get<std::vector<std::string>>(), ElementsAre("a", "b"));
      EXPECT_THAT(*lists[1].get<std::vector<int64_t>>(), ElementsAre(7));
    } else {
      EXPECT_EQ(read->held.index(), value.held.index()) << key;
    }
  }
  EXPECT_EQ(*file.find("u8")->get<uint64_t>(), 255u);
  EXPECT_EQ(file.find("i8")->integer(), -128);
  EXPECT_EQ(file.find("i16")->integer(), -2);
  EXPECT_EQ(file.find("u32")->integer(), 4'000'000'000);
  EXPECT_EQ(*file.find("u64")->get<uint64_t>(), UINT64_MAX);
  EXPECT_EQ(file.find("u64")->integer(), std::nullopt);
  EXPECT_EQ(file.find("i64")->integer(), INT64_MIN);
  EXPECT_EQ(file.find("yes")->integer(), std::nullopt);
  EXPECT_EQ(*file.find("yes")->get<uint64_t>(), 1u);
  EXPECT_EQ(*file.find("f32")->get<double>(), double(1e-5f));
  EXPECT_EQ(*file.find("f64")->get<double>(), 0.1);
  EXPECT_EQ(*file.find("text")->get<std::string>(), "a\xC3\xA9");
  EXPECT_THAT(*file.find("words")->get<std::vector<std::string>>(),
              ElementsAre("", "two words", "x"));
  EXPECT_THAT(*file.find("ints")->get<std::vector<int64_t>>(), ElementsAre(-1, 3));
  EXPECT_THAT(*file.find("floats")->get<std::vector<double>>(), ElementsAre(0.5, -2));
  EXPECT_THAT(*file.find("flags")->get<std::vector<uint64_t>>(), ElementsAre(1, 0));
  EXPECT_EQ(file.find("absent"), nullptr);

  ASSERT_EQ(file.tensors().size(), 3u);
  const GgufTensor &a = file.tensors().at("a"), &b = file.tensors().at("b"),
                   &q = file.tensors().at("q");
  EXPECT_EQ(a.dtype, DType::f32);
  EXPECT_EQ(a.type, "F32");
  EXPECT_THAT(a.shape, ElementsAre(3, 2));
  EXPECT_EQ(text_of(a.bytes), f32);
  EXPECT_EQ(text_of(b.bytes), bf16);
  EXPECT_EQ(q.dtype, DType::q8_0);
  EXPECT_THAT(q.shape, ElementsAre(2, 64));
  EXPECT_EQ(text_of(q.bytes), q8);
  EXPECT_LT(b.bytes.data(), a.bytes.data()) << "in the order they were given";
  for (const GgufTensor* t : {&a, &b, &q})
    EXPECT_EQ(reinterpret_cast<uintptr_t>(t->bytes.data()) % 32, 0u);
}

TEST(Gguf, TheSourceIsAskedInTheOrderOfTheFile) {
  TestFolder folder;
  std::string asked, buffer;
  write_gguf(folder.path() / "a", {}, {{"c", {DType::f32, {1}, {}}}, {"b", {DType::bf16, {1}, {}}}},
             [&](const std::string& name) {
               asked += name;
               buffer = name == "b" ? "bb" : "1234";
               return bytes_of(buffer);
             });
  EXPECT_EQ(asked, "cb");
  const GgufFile file(folder.path() / "a");
  EXPECT_EQ(text_of(file.tensors().at("b").bytes), "bb");
  EXPECT_EQ(text_of(file.tensors().at("c").bytes), "1234");
}

TEST(Gguf, VersionTwoTypesWeDoNotComputeWithAndHolesAreRead) {
  Bytes file = header(2, 1, 2);
  file.key("general.alignment", GgufType::u32).number(64, 4);
  file.tensor("late", {256, 1, 2}, 13, 128).tensor("x", {32}, 6, 0);
  file.text.resize((file.text.size() + 63) / 64 * 64);
  file.text.append(128 + 2 * 176, 'x');
  const Parsed parsed = parse(file.text);
  const GgufTensor& late = parsed.tensors.at("late");
  EXPECT_EQ(late.type, "Q5_K");
  EXPECT_EQ(late.dtype, std::nullopt);
  EXPECT_THAT(late.shape, ElementsAre(2, 1, 256));
  EXPECT_EQ(late.bytes.size(), 2u * 176);
  EXPECT_EQ(parsed.tensors.at("x").bytes.size(), 22u);
  EXPECT_EQ(error_of_file(header(0, 0)), "no error");
}

TEST(Gguf, BadHeaders) {
  EXPECT_THAT(error_of_file({""}), HasSubstr("must begin with \"GGUF\""));
  EXPECT_THAT(error_of_file({"GGML0000"}), HasSubstr("must begin with \"GGUF\""));
  EXPECT_THAT(error_of_file({"GGUF"}), HasSubstr("it needs 4 bytes, 0 are left"));
  EXPECT_THAT(error_of_file(header(0, 0, 1)), HasSubstr("the version must be 2 or 3, is 1"));
  EXPECT_THAT(error_of_file(header(0, 0, 3 << 24)), HasSubstr("the version must be 2 or 3"));
  EXPECT_THAT(error_of_file(header(uint64_t(1) << 63, 0)), HasSubstr("at most 1048576 tensors"));
  EXPECT_THAT(error_of_file(header(0, uint64_t(1) << 63)), HasSubstr("at most 65536 keys"));
  EXPECT_THAT(error_of_file(header(1, 0)), HasSubstr("tensor 1 of 1: must end inside the file"));
  EXPECT_THAT(error_of_file(header(0, 1)), HasSubstr("key 1 of 1: must end inside the file"));
}

TEST(Gguf, BadMetadata) {
  const auto error = [](Bytes bytes, uint64_t n = 1) {
    return error_of_file({header(0, n).text + bytes.text});
  };
  EXPECT_THAT(error(Bytes().number(UINT64_MAX, 8)), HasSubstr("not have more than 65535 bytes"));
  EXPECT_THAT(error(Bytes().number(100, 8)), HasSubstr("needs 100 bytes, 0 are left"));
  EXPECT_THAT(error(Bytes().key("", GgufType::u8).number(1, 1)), HasSubstr("not empty"));
  EXPECT_THAT(error(Bytes().key("\xFF", GgufType::u8).number(1, 1)), HasSubstr("must be UTF-8"));
  EXPECT_THAT(error(Bytes().key("a", GgufType(13)).number(1, 8)),
              HasSubstr("'a': its type must be from 0 to 12, is 13"));
  EXPECT_THAT(error(Bytes().key("a", GgufType::boolean).number(2, 1)), HasSubstr("must be 0 or 1"));
  EXPECT_THAT(error(Bytes().key("a", GgufType::u64).number(2, 7)), HasSubstr("needs 8 bytes"));
  EXPECT_THAT(error(Bytes().key("a", GgufType::string).number(uint64_t(1) << 62, 8)),
              HasSubstr("'a': must end inside the file"));
  const auto list = [](GgufType type, uint64_t count) {
    return Bytes().key("a", GgufType::array).array(type, count);
  };
  EXPECT_THAT(error(list(GgufType::u8, UINT64_MAX)), HasSubstr("not have more than 8388608"));
  EXPECT_THAT(error(list(GgufType::string, 8'000'000)), HasSubstr("needs 64000000 bytes"));
  EXPECT_THAT(error(list(GgufType(77), 1)), HasSubstr("is 77"));
  EXPECT_THAT(error(list(GgufType::boolean, 1).number(9, 1)), HasSubstr("must be 0 or 1, is 9"));
  EXPECT_THAT(error(list(GgufType::array, 8'000'000)), HasSubstr("needs 96000000 bytes"));
  Bytes deep = list(GgufType::array, 1);
  for (int i = 0; i < 4; i++) deep.array(GgufType::array, 1);
  EXPECT_THAT(error(deep), HasSubstr("deeper than 4"));
  // each within the file, together over the limit
  Bytes many;
  for (const char* name : {"a", "b"}) {
    many.key(name, GgufType::array).array(GgufType::u8, 5'000'000);
    many.text.append(5'000'000, '\0');
  }
  EXPECT_THAT(error(many, 2), HasSubstr("'b': all arrays together"));
  Bytes twice;
  twice.key("a", GgufType::u8).number(1, 1).key("a", GgufType::u8).number(1, 1);
  EXPECT_THAT(error(twice, 2), HasSubstr("'a': must not be there twice"));
  for (const uint64_t alignment : {0, 3, 1 << 21})
    EXPECT_THAT(error(Bytes().key("general.alignment", GgufType::u32).number(alignment, 4)),
                HasSubstr("general.alignment must be a power of two"));
  EXPECT_THAT(error(Bytes().key("general.alignment", GgufType::f32).number(0, 4)),
              HasSubstr("general.alignment must be a power of two"));
}

TEST(Gguf, BadTensors) {
  const auto error = [](Bytes bytes, size_t data_bytes = 64, uint64_t n = 1) {
    return error_of_file(Bytes{header(n, 0).text + bytes.text}.data(data_bytes));
  };
  EXPECT_EQ(error(Bytes().tensor("a", {16}, 0, 0)), "no error");
  EXPECT_THAT(error(Bytes().tensor(std::string(65, 'a'), {16}, 0, 0)),
              HasSubstr("must not have more than 64 bytes, has 65"));
  EXPECT_THAT(error(Bytes().tensor("", {16}, 0, 0)), HasSubstr("not empty"));
  EXPECT_THAT(error(Bytes().tensor("a", {}, 0, 0)), HasSubstr("1 to 4 dimensions, has 0"));
  EXPECT_THAT(error(Bytes().tensor("a", {1, 1, 1, 1, 1}, 0, 0)), HasSubstr("has 5"));
  EXPECT_THAT(error(Bytes().tensor("a", {16, 0}, 0, 0)), HasSubstr("dimension 2 is 0"));
  const uint64_t huge = uint64_t(1) << 32;
  EXPECT_THAT(error(Bytes().tensor("a", {huge, huge}, 0, 0)), HasSubstr("below 2^63 elements"));
  EXPECT_THAT(error(Bytes().tensor("a", {huge, huge / 4}, 0, 0)), HasSubstr("below 2^63 bytes"));
  EXPECT_THAT(error(Bytes().tensor("a", {UINT64_MAX}, 24, 0)), HasSubstr("below 2^63 elements"));
  for (const uint64_t type : {4, 5, 31, 38, 999})
    EXPECT_THAT(error(Bytes().tensor("a", {256}, type, 0)), HasSubstr("its type must be ggml's"));
  EXPECT_THAT(error(Bytes().tensor("a", {48}, 8, 0)),
              HasSubstr("a row of Q8_0 must have a multiple of 32 elements, has 48"));
  EXPECT_THAT(error(Bytes().tensor("a", {128, 2}, 12, 0)), HasSubstr("multiple of 256"));
  EXPECT_THAT(error(Bytes().tensor("a", {1}, 0, 16)), HasSubstr("multiple of 32, is 16"));
  EXPECT_THAT(error(Bytes().tensor("a", {17}, 0, 0)),
              HasSubstr("tensor 'a' must lie inside the data of 64 bytes, has 68 from 0 on"));
  EXPECT_THAT(error(Bytes().tensor("a", {1}, 0, 96)), HasSubstr("must lie inside"));
  EXPECT_THAT(error(Bytes().tensor("a", {1}, 0, UINT64_MAX - 31)), HasSubstr("must lie inside"));
  EXPECT_THAT(error(Bytes().tensor("b", {9}, 0, 0).tensor("a", {1}, 0, 32), 64, 2),
              HasSubstr("tensor 'a' must not overlap 'b'"));
  EXPECT_THAT(error(Bytes().tensor("b", {1}, 0, 0).tensor("a", {1}, 0, 0), 64, 2),
              HasSubstr("must not overlap"));
  EXPECT_THAT(error(Bytes().tensor("a", {1}, 0, 0).tensor("a", {1}, 0, 32), 64, 2),
              HasSubstr("tensor 'a': must not be there twice"));
}

TEST(Gguf, EveryCutIsRefused) {
  TestFolder folder;
  write_gguf(
      folder.path() / "a", {{"k", GgufValue::of(std::vector<std::string>{"a", "b"})}},
      {{"t", {DType::f32, {8}, bytes_of(std::string_view("01234567012345670123456701234567"))}}});
  const std::string whole = read_file(folder.path() / "a");
  EXPECT_EQ(error_of_file({whole}), "no error");
  for (size_t size = 0; size < whole.size(); size++)
    EXPECT_NE(error_of_file({whole.substr(0, size)}), "no error") << size;
}

}  // namespace
}  // namespace chatmem
