// JavaScript values to and from the dispatcher's IValues, led by the operator's schema.
#pragma once
#include <ATen/core/dispatch/Dispatcher.h>
#include <node_api.h>

#include <string>

namespace door {

// Thrown when Node-API itself refuses; the pending JavaScript exception is left as it is.
struct PendingException : std::exception {};

void check(napi_env env, napi_status status);
double toDouble(napi_env env, napi_value value);
std::string toString(napi_env env, napi_value value);
bool isNullish(napi_env env, napi_value value);
std::vector<double> toDoubles(napi_env env, napi_value array);

c10::IValue toIValue(napi_env env, napi_value value, const c10::TypePtr& type);
napi_value fromIValue(napi_env env, c10::IValue value);
napi_value number(napi_env env, double value);

}  // namespace door
