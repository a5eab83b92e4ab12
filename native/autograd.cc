#include "autograd.h"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "convert.h"
#include "handles.h"

namespace door {

namespace {

using torch::autograd::variable_list;

variable_list toTensors(napi_env env, napi_value array) {
  variable_list tensors;
  for (const double handle : toDoubles(env, array)) tensors.push_back(handles().get(handle));
  return tensors;
}

napi_value fromTensors(napi_env env, const variable_list& tensors) {
  napi_value array;
  check(env, napi_create_array_with_length(env, tensors.size(), &array));
  for (size_t i = 0; i < tensors.size(); i++) {
    napi_value element;
    if (tensors[i].defined()) element = number(env, handles().add(tensors[i]));
    else check(env, napi_get_null(env, &element));
    check(env, napi_set_element(env, array, i, element));
  }
  return array;
}

// Runs one call at a time on the JavaScript thread, for backward nodes that a device's own thread executes.
class Doorman {
 public:
  template <typename Work>
  void serve(Work work) {
    std::exception_ptr failure;
    std::thread worker([&] {
      try {
        work();
      } catch (...) {
        failure = std::current_exception();
      }
      std::lock_guard<std::mutex> guard(mutex_);
      finished_ = true;
      changed_.notify_all();
    });
    {
      std::unique_lock<std::mutex> guard(mutex_);
      while (!finished_) {
        changed_.wait(guard, [&] { return finished_ || request_; });
        if (!request_) continue;
        auto call = std::move(request_);
        request_ = nullptr;
        guard.unlock();
        call();
        guard.lock();
        answered_ = true;
        changed_.notify_all();
      }
    }
    worker.join();
    if (failure) std::rethrow_exception(failure);
  }

  void ask(const std::function<void()>& call) {
    std::unique_lock<std::mutex> guard(mutex_);
    request_ = call;
    answered_ = false;
    changed_.notify_all();
    changed_.wait(guard, [&] { return answered_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> request_;
  bool answered_ = false;
  bool finished_ = false;
};

Doorman* currentDoorman = nullptr;
const std::thread::id kMainThread = std::this_thread::get_id();

// On a GPU, nodes run on the device's thread, so the JavaScript thread must stay free to answer.
template <typename Work>
void runBackward(const at::Tensor& root, Work work) {
  if (root.is_cpu()) return work();
  Doorman doorman;
  Doorman* outer = currentDoorman;
  currentDoorman = &doorman;
  try {
    doorman.serve(work);
  } catch (...) {
    currentDoorman = outer;
    throw;
  }
  currentDoorman = outer;
}

// Closes Node's scope of values on every path out, exceptions included.
class HandleScope {
 public:
  explicit HandleScope(napi_env env) : env_(env) { check(env, napi_open_handle_scope(env, &scope_)); }
  ~HandleScope() { napi_close_handle_scope(env_, scope_); }
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;

 private:
  napi_env env_;
  napi_handle_scope scope_;
};

// A graph node that hands the incoming gradients to a JavaScript function and returns what that gives.
class ScriptNode : public torch::autograd::Node {
 public:
  ScriptNode(napi_env env, napi_value function, torch::autograd::edge_list&& edges)
      : Node(std::move(edges)), env_(env) {
    check(env, napi_create_reference(env, function, 1, &function_));
  }

  variable_list apply(variable_list&& gradients) override {
    variable_list result;
    std::exception_ptr failure;
    auto call = [&] {
      try {
        result = callScript(gradients);
      } catch (...) {
        failure = std::current_exception();
      }
    };
    if (std::this_thread::get_id() == kMainThread) call();
    else currentDoorman->ask(call);
    if (failure) std::rethrow_exception(failure);
    return result;
  }

  void release_variables() override {
    if (function_ == nullptr || std::this_thread::get_id() != kMainThread) return;
    napi_delete_reference(env_, function_);
    function_ = nullptr;
  }

  ~ScriptNode() override { release_variables(); }

 private:
  variable_list callScript(const variable_list& gradients) {
    TORCH_CHECK(function_ != nullptr, "this part of the graph was already run backward and freed");
    const HandleScope scope(env_);
    napi_value function, receiver, answer;
    check(env_, napi_get_reference_value(env_, function_, &function));
    check(env_, napi_get_undefined(env_, &receiver));
    napi_value argument = fromTensors(env_, gradients);
    check(env_, napi_call_function(env_, receiver, function, 1, &argument, &answer));
    variable_list result;
    uint32_t length = 0;
    check(env_, napi_get_array_length(env_, answer, &length));
    for (uint32_t i = 0; i < length; i++) {
      napi_value element;
      check(env_, napi_get_element(env_, answer, i, &element));
      if (isNullish(env_, element)) result.emplace_back();
      else result.push_back(handles().get(toDouble(env_, element)));
    }
    return result;
  }

  napi_env env_;
  napi_ref function_ = nullptr;
};

// What a graph holds its nodes by: std::shared_ptr in 1.13, c10::intrusive_ptr in 2.15.
using NodePointer = decltype(torch::autograd::Edge::function);

// A template, so that the branch for the other libtorch is never compiled.
template <typename Pointer>
Pointer makeNode(napi_env env, napi_value function, torch::autograd::edge_list&& edges) {
  if constexpr (std::is_same_v<Pointer, std::shared_ptr<torch::autograd::Node>>) {
    // libtorch's own deleter takes long chains of nodes apart without recursion.
    return Pointer(new ScriptNode(env, function, std::move(edges)), [](auto* node) { deleteNode(node); });
  } else {
    return c10::make_intrusive<ScriptNode>(env, function, std::move(edges));
  }
}

}  // namespace

// backward(root, gradient | null, retainGraph): adds to every leaf's gradient.
napi_value backward(napi_env env, size_t, napi_value* arguments) {
  const at::Tensor root = handles().get(toDouble(env, arguments[0]));
  variable_list gradient;
  if (!isNullish(env, arguments[1])) gradient.push_back(handles().get(toDouble(env, arguments[1])));
  bool retain = false;
  check(env, napi_get_value_bool(env, arguments[2], &retain));
  runBackward(root, [&] { torch::autograd::backward({root}, gradient, retain, false); });
  return nullptr;
}

// gradientsOf(roots, inputs, gradients, createGraph): one gradient per input, null where there is none.
napi_value gradientsOf(napi_env env, size_t, napi_value* arguments) {
  const auto roots = toTensors(env, arguments[0]);
  const auto inputs = toTensors(env, arguments[1]);
  const auto seeds = toTensors(env, arguments[2]);
  bool createGraph = false;
  check(env, napi_get_value_bool(env, arguments[3], &createGraph));
  variable_list result;
  runBackward(roots.at(0), [&] {
    result = torch::autograd::grad(roots, inputs, seeds, createGraph, createGraph, true);
  });
  return fromTensors(env, result);
}

// customNode(output, inputs, function): the output, with `function` as its backward.
napi_value customNode(napi_env env, size_t, napi_value* arguments) {
  at::Tensor output = handles().get(toDouble(env, arguments[0])).detach();
  const auto inputs = toTensors(env, arguments[1]);
  auto edges = torch::autograd::collect_next_edges(inputs);
  torch::autograd::set_history(output, makeNode<NodePointer>(env, arguments[2], std::move(edges)));
  return number(env, handles().add(output));
}

}  // namespace door
