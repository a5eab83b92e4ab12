#include "convert.h"

#include <ATen/core/jit_type.h>

#include <cmath>

#include "handles.h"

namespace door {

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) throw PendingException{};
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  TORCH_CHECK(false, info && info->error_message ? info->error_message : "Node-API call failed");
}

double toDouble(napi_env env, napi_value value) {
  double number = 0;
  check(env, napi_get_value_double(env, value, &number));
  return number;
}

std::string toString(napi_env env, napi_value value) {
  size_t length = 0;
  check(env, napi_get_value_string_utf8(env, value, nullptr, 0, &length));
  std::string text(length, '\0');
  check(env, napi_get_value_string_utf8(env, value, text.data(), length + 1, &length));
  return text;
}

bool isNullish(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  return type == napi_null || type == napi_undefined;
}

namespace {

uint32_t arrayLength(napi_env env, napi_value array) {
  uint32_t length = 0;
  check(env, napi_get_array_length(env, array, &length));
  return length;
}

// Reads `array` into a typed dispatcher list, one element at a time.
template <typename T, typename Read>
c10::List<T> toList(napi_env env, napi_value array, Read read) {
  c10::List<T> list;
  const uint32_t length = arrayLength(env, array);
  list.reserve(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(env, napi_get_element(env, array, i, &element));
    list.push_back(read(element));
  }
  return list;
}

c10::Scalar toScalar(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  if (type == napi_boolean) {
    bool flag = false;
    check(env, napi_get_value_bool(env, value, &flag));
    return c10::Scalar(flag);
  }
  const double number = toDouble(env, value);
  const bool whole = std::floor(number) == number && std::abs(number) < 9007199254740992.0;
  return whole ? c10::Scalar(static_cast<int64_t>(number)) : c10::Scalar(number);
}

int64_t toInt(napi_env env, napi_value value) {
  const double number = toDouble(env, value);
  TORCH_CHECK(std::floor(number) == number, "expected a whole number, got ", number);
  return static_cast<int64_t>(number);
}

c10::IValue toListValue(napi_env env, napi_value value, const c10::TypePtr& element) {
  switch (element->kind()) {
    case c10::TypeKind::TensorType:
      return toList<at::Tensor>(env, value, [&](napi_value v) { return handles().get(toDouble(env, v)); });
    case c10::TypeKind::OptionalType:
      return toList<c10::optional<at::Tensor>>(env, value, [&](napi_value v) -> c10::optional<at::Tensor> {
        if (isNullish(env, v)) return c10::nullopt;
        return handles().get(toDouble(env, v));
      });
    case c10::TypeKind::FloatType:
      return toList<double>(env, value, [&](napi_value v) { return toDouble(env, v); });
    case c10::TypeKind::BoolType:
      return toList<bool>(env, value, [&](napi_value v) { return toDouble(env, v) != 0; });
    case c10::TypeKind::NumberType: {
      c10::List<c10::Scalar> list;
      const auto length = arrayLength(env, value);
      for (uint32_t i = 0; i < length; i++) {
        napi_value v;
        check(env, napi_get_element(env, value, i, &v));
        list.push_back(toScalar(env, v));
      }
      return list;
    }
    default: {
      // A lone number stands for a list of one, as in Python's signatures.
      napi_valuetype kind;
      check(env, napi_typeof(env, value, &kind));
      if (kind == napi_number) return c10::List<int64_t>({toInt(env, value)});
      return toList<int64_t>(env, value, [&](napi_value v) { return toInt(env, v); });
    }
  }
}

}  // namespace

c10::IValue toIValue(napi_env env, napi_value value, const c10::TypePtr& type) {
  switch (type->kind()) {
    case c10::TypeKind::OptionalType:
      if (isNullish(env, value)) return c10::IValue();
      return toIValue(env, value, type->castRaw<c10::OptionalType>()->getElementType());
    case c10::TypeKind::TensorType:
      return handles().get(toDouble(env, value));
    case c10::TypeKind::ListType:
      return toListValue(env, value, type->castRaw<c10::ListType>()->getElementType());
    case c10::TypeKind::NumberType:
      return toScalar(env, value);
    case c10::TypeKind::FloatType:
      return toDouble(env, value);
    case c10::TypeKind::BoolType: {
      bool flag = false;
      check(env, napi_get_value_bool(env, value, &flag));
      return flag;
    }
    case c10::TypeKind::StringType:
      return toString(env, value);
    case c10::TypeKind::DeviceObjType:
      return c10::Device(toString(env, value));
    case c10::TypeKind::GeneratorType:
      TORCH_CHECK(isNullish(env, value), "generators are not passed: noise comes from the counter-based source");
      return c10::IValue();
    default:
      return toInt(env, value);
  }
}

napi_value number(napi_env env, double value) {
  napi_value result;
  check(env, napi_create_double(env, value, &result));
  return result;
}

namespace {
template <typename Range>
napi_value fromRange(napi_env env, const Range& range, size_t length) {
  napi_value array;
  check(env, napi_create_array_with_length(env, length, &array));
  uint32_t i = 0;
  for (const auto& element : range)
    check(env, napi_set_element(env, array, i++, fromIValue(env, c10::IValue(element))));
  return array;
}
}  // namespace

napi_value fromIValue(napi_env env, c10::IValue value) {
  napi_value result;
  if (value.isTensor()) return number(env, handles().add(std::move(value).toTensor()));
  if (value.isDouble()) return number(env, value.toDouble());
  if (value.isInt()) return number(env, static_cast<double>(value.toInt()));
  if (value.isBool()) {
    check(env, napi_get_boolean(env, value.toBool(), &result));
    return result;
  }
  if (value.isScalar()) return number(env, value.toScalar().toDouble());
  if (value.isTuple()) {
    const auto& elements = value.toTupleRef().elements();
    return fromRange(env, elements, elements.size());
  }
  if (value.isTensorList()) {
    const auto tensors = value.toTensorVector();
    return fromRange(env, tensors, tensors.size());
  }
  if (value.isString()) {
    const auto& text = value.toStringRef();
    check(env, napi_create_string_utf8(env, text.data(), text.size(), &result));
    return result;
  }
  check(env, napi_get_null(env, &result));
  return result;
}

}  // namespace door
