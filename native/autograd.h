// Gradients: backward passes, and nodes whose backward is written in JavaScript.
#pragma once
#include <node_api.h>

namespace door {

napi_value backward(napi_env env, size_t count, napi_value* arguments);
napi_value gradientsOf(napi_env env, size_t count, napi_value* arguments);
napi_value customNode(napi_env env, size_t count, napi_value* arguments);

}  // namespace door
