// Regular expressions over characters as paths of a ByteGrammar through the JSON text of a string.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/byte_grammar.h"

namespace chatmem {

struct CodeRange {
  char32_t first, last;  // both included
};

// Paths over one character of the ranges, sorted and apart, in the shortest form that JSON has for
// it: UTF-8, or an escape for what must be escaped. Surrogates are left out.
void add_code_points(ByteGrammar& grammar, int from, std::span<const CodeRange> ranges, int to);

// Paths over the strings that the expression matches, in the same form. The syntax is the part of
// ECMA 262's that is regular and does not look around: characters, ., [...] with ranges and \d \w
// \s \D \W \S, groups, |, * + ? {m,n}. As in JSON Schema the match may be anywhere in the string
// unless ^ begins, or $ ends, an alternative of the whole. Throws Error, naming `where`, for what
// it does not take: assertions, references, empty alternatives, properties of characters.
void add_pattern(ByteGrammar& grammar, int from, std::string_view pattern, int to,
                 std::string_view where);

}  // namespace chatmem
