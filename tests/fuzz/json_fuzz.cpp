// libFuzzer: JSON texts that no one would write are parsed or refused with Error; what is accepted
// reads back as it was written, and asking for a key of any type gives it or refuses.
#include <cstdint>

#include "base/error.h"
#include "base/json.h"

namespace {

using namespace chatmem;

// Every accessor on every key: each takes the values of its type and refuses all others with Error.
void check_accessors(const Json& value) {
  for (const auto& item : value.items()) {
    const std::string& key = item.key();
    const Json& item_value = item.value();
    const auto accepts = [&](const auto& access) {
      try {
        access();
        return true;
      } catch (const Error&) {
        return false;
      }
    };
    CHECK(accepts([&] { json_string(value, key, "fuzz"); }) == item_value.is_string());
    CHECK(accepts([&] { json_number(value, key, "fuzz"); }) == item_value.is_number());
    CHECK(accepts([&] { json_array(value, key, "fuzz"); }) == item_value.is_array());
    CHECK(accepts([&] { json_object(value, key, "fuzz"); }) == item_value.is_object());
    if (accepts([&] { json_int(value, key, "fuzz"); }))
      CHECK(Json(json_int(value, key, "fuzz")) == item_value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Json value;
  try {
    value = parse_json({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const Error&) {
    return 0;
  }
  const std::string written = dump_json(value);
  CHECK(dump_json(parse_json(written, "written")) == written);
  CHECK(parse_json(dump_json(value, 2), "indented") == parse_json(written, "written"));
  if (value.is_object()) check_accessors(value);
  return 0;
}
