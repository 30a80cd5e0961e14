// JSON Schema, in the subset of OpenAI's structured outputs and a little more, as a grammar of the
// compact JSON text of its values.
//
// The text is compact but for one optional space after each ':' and ','. Properties come in the
// order of the schema. A number has at most 15 digits before the point, 15 behind it and 2 in its
// exponent. Strings are valid UTF-8; those of a pattern or a format, and keys and enum values, come
// in one spelling, with no escape that is not needed. A value nests at most ByteGrammar::kMaxDepth
// schemas.
//
// type (one or several), enum, const, anyOf, allOf of one, $ref within the document ($defs,
// definitions, #), and
//   object: properties, required, additionalProperties: false, or a schema where there are no
//           properties. What properties do not name is never written; an object without either
//           keyword is any object.
//   array: items, minItems, maxItems
//   string: minLength, maxLength (characters), or pattern (text/string_pattern.h), or format: date
//           (of a day that exists), time, date-time (RFC 3339), uuid
//   integer: minimum, maximum, exclusiveMinimum, exclusiveMaximum
//   number: minimum and maximum that are integers; then without exponent
//   boolean, null
// Keywords that only describe are passed over. All throw Error for others: "[schema] keyword 'x' at
// '/properties/a' is not supported", and for a schema that has no value, that refers to itself
// without a value between, or that needs too large a grammar.
#pragma once
#include <span>
#include <string>

#include "base/json.h"
#include "text/byte_grammar.h"

namespace chatmem {

ByteGrammar schema_grammar(const Json& schema);

// Any JSON object.
ByteGrammar object_grammar();

struct FunctionSchema {
  std::string name;  // letters, digits, _ and -
  Json parameters;   // a schema; null: any object
};
// A call of one of the functions as Llama 3.1 writes it: {"name": NAME, "parameters": VALUE}.
ByteGrammar function_call_grammar(std::span<const FunctionSchema> functions);

}  // namespace chatmem
