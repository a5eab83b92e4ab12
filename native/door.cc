// The door to libtorch: any ATen operator by schema name, tensors as handles, gradients, settings.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <node_api.h>
#include <torch/version.h>

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 9)
#include <c10/core/CachingDeviceAllocator.h>
#define DOOR_KNOWS_DEVICE_MEMORY
#endif

#include <cstring>
#include <sstream>

#include "autograd.h"
#include "convert.h"
#include "handles.h"
#include "memory.h"

// libtorch's own OpenMP; there is none where it was built with another way to share loops.
extern "C" void omp_set_num_threads(int) __attribute__((weak));
// OpenBLAS has threads of its own, of which libtorch knows nothing; there is none where another library multiplies.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));
extern "C" int openblas_get_num_threads() __attribute__((weak));

namespace door {

std::vector<double> toDoubles(napi_env env, napi_value array) {
  uint32_t length = 0;
  check(env, napi_get_array_length(env, array, &length));
  std::vector<double> numbers(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(env, napi_get_element(env, array, i, &element));
    numbers[i] = toDouble(env, element);
  }
  return numbers;
}

namespace {

std::vector<c10::OperatorHandle>& operators() {
  static std::vector<c10::OperatorHandle> table;
  return table;
}

std::string describe(const c10::IValue& value) {
  std::ostringstream out;
  if (value.isTensor()) {
    const auto& tensor = value.toTensor();
    if (!tensor.defined()) return "undefined";
    out << tensor.scalar_type() << tensor.sizes();
  } else if (value.isTensorList()) {
    out << "(";
    for (const at::Tensor& tensor : value.toTensorVector()) out << describe(tensor) << " ";
    out << ")";
  } else if (value.isString()) {
    out << '"' << value.toStringRef() << '"';
  } else {
    out << value;
  }
  return out.str();
}

// find(name, overload): the number by which `call` knows the operator, or null where this libtorch has none.
napi_value find(napi_env env, size_t, napi_value* arguments) {
  const std::string name = toString(env, arguments[0]);
  const std::string overload = toString(env, arguments[1]);
  auto handle = c10::Dispatcher::singleton().findSchema({name, overload});
  napi_value result;
  if (!handle) {
    check(env, napi_get_null(env, &result));
    return result;
  }
  operators().push_back(*handle);
  return number(env, static_cast<double>(operators().size() - 1));
}

// call(operator, argument…): missing arguments take the schema's defaults.
napi_value call(napi_env env, size_t count, napi_value* arguments) {
  const auto& handle = operators().at(static_cast<size_t>(toDouble(env, arguments[0])));
  const auto& schema = handle.schema();
  const auto& parameters = schema.arguments();
  TORCH_CHECK(count - 1 <= parameters.size(), schema.name(), " takes ", parameters.size(), " arguments, got ",
              count - 1);
  torch::jit::Stack stack;
  stack.reserve(parameters.size());
  std::vector<std::string> seen;
  try {
    for (size_t i = 0; i < parameters.size(); i++) {
      const auto& parameter = parameters[i];
      napi_valuetype kind = napi_undefined;
      if (i + 1 < count) check(env, napi_typeof(env, arguments[i + 1], &kind));
      if (kind != napi_undefined) {
        stack.push_back(toIValue(env, arguments[i + 1], parameter.type()));
      } else {
        TORCH_CHECK(parameter.default_value(), "argument '", parameter.name(), "' is missing");
        stack.push_back(*parameter.default_value());
      }
    }
    const torch::jit::Stack kept = stack;
    try {
      handle.callBoxed(&stack);
    } catch (...) {
      for (const auto& value : kept) seen.push_back(describe(value));
      throw;
    }
  } catch (const c10::Error& error) {
    std::string message = schema.name() + "(";
    for (size_t i = 0; i < seen.size(); i++) message += (i ? ", " : "") + seen[i];
    throw std::runtime_error(message + "): " + error.what_without_backtrace());
  }
  if (stack.empty()) return nullptr;
  if (stack.size() == 1) return fromIValue(env, std::move(stack[0]));
  return fromIValue(env, c10::ivalue::Tuple::create(std::move(stack)));
}

// release(handles): frees the tensors; stale handles are ignored.
napi_value release(napi_env env, size_t, napi_value* arguments) {
  for (const double handle : toDoubles(env, arguments[0])) handles().release(handle);
  return nullptr;
}

// describeTensor(handle): [dtype, device, requiresGrad, size…]
napi_value describeTensor(napi_env env, size_t, napi_value* arguments) {
  const at::Tensor& tensor = handles().get(toDouble(env, arguments[0]));
  napi_value array, device, grad;
  check(env, napi_create_array_with_length(env, 3 + tensor.dim(), &array));
  check(env, napi_set_element(env, array, 0, number(env, static_cast<double>(tensor.scalar_type()))));
  const std::string name = tensor.device().str();
  check(env, napi_create_string_utf8(env, name.data(), name.size(), &device));
  check(env, napi_set_element(env, array, 1, device));
  check(env, napi_get_boolean(env, tensor.requires_grad(), &grad));
  check(env, napi_set_element(env, array, 2, grad));
  for (int64_t i = 0; i < tensor.dim(); i++)
    check(env, napi_set_element(env, array, 3 + i, number(env, static_cast<double>(tensor.size(i)))));
  return array;
}

// fromBytes(arrayBuffer, byteOffset, dtype, shape): a tensor holding a copy of the bytes.
napi_value fromBytes(napi_env env, size_t, napi_value* arguments) {
  void* data = nullptr;
  size_t bytes = 0;
  check(env, napi_get_arraybuffer_info(env, arguments[0], &data, &bytes));
  const auto offset = static_cast<size_t>(toDouble(env, arguments[1]));
  std::vector<int64_t> shape;
  for (const double size : toDoubles(env, arguments[3])) shape.push_back(static_cast<int64_t>(size));
  at::Tensor tensor = at::empty(shape, static_cast<at::ScalarType>(toDouble(env, arguments[2])));
  TORCH_CHECK(offset + tensor.nbytes() <= bytes, "expected ", tensor.nbytes(), " bytes, got ", bytes - offset);
  if (tensor.nbytes() > 0) std::memcpy(tensor.data_ptr(), static_cast<char*>(data) + offset, tensor.nbytes());
  return number(env, handles().add(std::move(tensor)));
}

// toBytes(handle): an ArrayBuffer with the tensor's elements, row-major.
napi_value toBytes(napi_env env, size_t, napi_value* arguments) {
  const at::Tensor tensor = handles().get(toDouble(env, arguments[0])).detach().cpu().contiguous();
  void* data = nullptr;
  napi_value buffer;
  check(env, napi_create_arraybuffer(env, tensor.nbytes(), &data, &buffer));
  if (tensor.nbytes() > 0) std::memcpy(data, tensor.data_ptr(), tensor.nbytes());
  return buffer;
}

// gradient(handle): the accumulated gradient of a leaf, or null.
napi_value gradient(napi_env env, size_t, napi_value* arguments) {
  const at::Tensor& grad = handles().get(toDouble(env, arguments[0])).grad();
  napi_value result;
  if (grad.defined()) return number(env, handles().add(grad));
  check(env, napi_get_null(env, &result));
  return result;
}

// setGradient(handle, gradient | null)
napi_value setGradient(napi_env env, size_t, napi_value* arguments) {
  at::Tensor tensor = handles().get(toDouble(env, arguments[0]));
  tensor.mutable_grad() =
      isNullish(env, arguments[1]) ? at::Tensor() : handles().get(toDouble(env, arguments[1]));
  return nullptr;
}

napi_value setRequiresGrad(napi_env env, size_t, napi_value* arguments) {
  bool wanted = false;
  check(env, napi_get_value_bool(env, arguments[1], &wanted));
  handles().get(toDouble(env, arguments[0])).set_requires_grad(wanted);
  return nullptr;
}

// setGradMode(enabled): returns the mode that was.
napi_value setGradMode(napi_env env, size_t, napi_value* arguments) {
  bool enabled = true;
  check(env, napi_get_value_bool(env, arguments[0], &enabled));
  napi_value before;
  check(env, napi_get_boolean(env, at::GradMode::is_enabled(), &before));
  at::GradMode::set_enabled(enabled);
  return before;
}

// setAutocast(device type, enabled, dtype): weights cast inside one region are cast once.
napi_value setAutocast(napi_env env, size_t, napi_value* arguments) {
  const bool cuda = toString(env, arguments[0]) == "cuda";
  bool enabled = false;
  check(env, napi_get_value_bool(env, arguments[1], &enabled));
  const auto dtype = static_cast<at::ScalarType>(toDouble(env, arguments[2]));
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
  const auto device = cuda ? at::kCUDA : at::kCPU;
  at::autocast::set_autocast_enabled(device, enabled);
  at::autocast::set_autocast_dtype(device, dtype);
#else
  if (cuda) {
    at::autocast::set_enabled(enabled);
    at::autocast::set_autocast_gpu_dtype(dtype);
  } else {
    at::autocast::set_cpu_enabled(enabled);
    at::autocast::set_autocast_cpu_dtype(dtype);
  }
#endif
  if (!enabled) at::autocast::clear_cache();
  return nullptr;
}

napi_value setThreads(napi_env env, size_t, napi_value* arguments) {
  const int count = static_cast<int>(toDouble(env, arguments[0]));
  at::set_num_threads(count);
  if (openblas_set_num_threads) openblas_set_num_threads(count);
  return nullptr;
}

// limitThreads(count): threads of this thread's loops over elements from now on. At once, where setThreads takes
// milliseconds to make pools of threads anew; without OpenMP nothing happens.
napi_value limitThreads(napi_env env, size_t, napi_value* arguments) {
  if (omp_set_num_threads) omp_set_num_threads(static_cast<int>(toDouble(env, arguments[0])));
  return nullptr;
}

// setTunedConvolutions(enabled): whether cuDNN times its algorithms for every new shape and keeps the fastest
napi_value setTunedConvolutions(napi_env env, size_t, napi_value* arguments) {
  bool enabled = false;
  check(env, napi_get_value_bool(env, arguments[0], &enabled));
  at::globalContext().setBenchmarkCuDNN(enabled);
  return nullptr;
}

// information(): [libtorch version, threads, live tensors, CUDA devices, how it was built and what it uses, OpenBLAS's
// threads: null without it]
napi_value information(napi_env env, size_t, napi_value*) {
  napi_value array, version, configuration;
  check(env, napi_create_array_with_length(env, 6, &array));
  check(env, napi_create_string_utf8(env, TORCH_VERSION, NAPI_AUTO_LENGTH, &version));
  check(env, napi_set_element(env, array, 0, version));
  check(env, napi_set_element(env, array, 1, number(env, at::get_num_threads())));
  check(env, napi_set_element(env, array, 2, number(env, static_cast<double>(handles().live()))));
  const double devices = at::hasCUDA() ? static_cast<double>(at::detail::getCUDAHooks().getNumGPUs()) : 0;
  check(env, napi_set_element(env, array, 3, number(env, devices)));
  const std::string info = at::get_parallel_info() + at::show_config();
  check(env, napi_create_string_utf8(env, info.data(), info.size(), &configuration));
  check(env, napi_set_element(env, array, 4, configuration));
  napi_value blas;
  check(env, napi_get_null(env, &blas));
  if (openblas_get_num_threads) blas = number(env, openblas_get_num_threads());
  check(env, napi_set_element(env, array, 5, blas));
  return array;
}

// peakDeviceMemory(forget): [bytes of tensors, bytes taken from the driver], the most that the first CUDA device held
// since `forget` was true; null without one, and for a libtorch before 2.9, which tells it to users of CUDA's headers alone.
napi_value peakDeviceMemory(napi_env env, size_t, napi_value* arguments) {
  bool forget = false;
  check(env, napi_get_value_bool(env, arguments[0], &forget));
  napi_value result;
  check(env, napi_get_null(env, &result));
#ifdef DOOR_KNOWS_DEVICE_MEMORY
  if (!at::hasCUDA() || at::detail::getCUDAHooks().getNumGPUs() == 0) return result;
  // The allocator knows the devices once something has been made there
  at::empty({1}, at::TensorOptions().device(at::kCUDA, 0));
  auto* allocator = c10::getDeviceAllocator(at::kCUDA);
  const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const auto stats = allocator->getDeviceStats(0);
  check(env, napi_create_array_with_length(env, 2, &result));
  check(env, napi_set_element(env, result, 0, number(env, static_cast<double>(stats.allocated_bytes[all].peak))));
  check(env, napi_set_element(env, result, 1, number(env, static_cast<double>(stats.reserved_bytes[all].peak))));
  if (forget) allocator->resetPeakStats(0);
#endif
  return result;
}

using Function = napi_value (*)(napi_env, size_t, napi_value*);

// What is called from JavaScript passes here: any C++ exception becomes a JavaScript error.
template <typename Work>
napi_value throwing(napi_env env, Work work) {
  std::string message;
  try {
    return work();
  } catch (const PendingException&) {
    return nullptr;
  } catch (const c10::Error& error) {
    message = error.what_without_backtrace();
  } catch (const std::exception& error) {
    message = error.what();
  }
  napi_throw_error(env, "ERR_LIBTORCH", message.c_str());
  return nullptr;
}

// At most 32 arguments; those that are missing are undefined.
template <Function function>
napi_value guarded(napi_env env, napi_callback_info info) {
  return throwing(env, [&] {
    napi_value arguments[32];
    size_t count = 32;
    check(env, napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr));
    napi_value undefined;
    check(env, napi_get_undefined(env, &undefined));
    for (size_t i = count; i < 32; i++) arguments[i] = undefined;
    return function(env, count, arguments);
  });
}

template <Function function>
void add(napi_env env, napi_value exports, const char* name) {
  napi_value value;
  check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, guarded<function>, nullptr, &value));
  check(env, napi_set_named_property(env, exports, name, value));
}

napi_value returnMemory(napi_env, size_t, napi_value*) {
  returnFreedMemory();
  return nullptr;
}

napi_value initialise(napi_env env, napi_value exports) {
  keepFreedMemory();
  add<find>(env, exports, "find");
  add<call>(env, exports, "call");
  add<release>(env, exports, "release");
  add<describeTensor>(env, exports, "describeTensor");
  add<fromBytes>(env, exports, "fromBytes");
  add<toBytes>(env, exports, "toBytes");
  add<gradient>(env, exports, "gradient");
  add<setGradient>(env, exports, "setGradient");
  add<setRequiresGrad>(env, exports, "setRequiresGrad");
  add<setGradMode>(env, exports, "setGradMode");
  add<setAutocast>(env, exports, "setAutocast");
  add<setThreads>(env, exports, "setThreads");
  add<limitThreads>(env, exports, "limitThreads");
  add<setTunedConvolutions>(env, exports, "setTunedConvolutions");
  add<peakDeviceMemory>(env, exports, "peakDeviceMemory");
  add<returnMemory>(env, exports, "returnFreedMemory");
  add<information>(env, exports, "information");
  add<backward>(env, exports, "backward");
  add<gradientsOf>(env, exports, "gradientsOf");
  add<customNode>(env, exports, "customNode");
  return exports;
}

}  // namespace
}  // namespace door

// A thread that is ended while it loads this fails to define the entries.
NAPI_MODULE_INIT() {
  return door::throwing(env, [&] { return door::initialise(env, exports); });
}
