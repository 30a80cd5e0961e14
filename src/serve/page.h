// The page at /: paste a chat, pick days, watch its summary come.
#pragma once
#include <string>
#include <string_view>

namespace chatmem {

// HTML whose script and style carry the nonce.
std::string page_html(std::string_view nonce);

}  // namespace chatmem
