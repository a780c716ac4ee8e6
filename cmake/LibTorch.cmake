# Imported targets torch::cpu and torch::cuda. Not find_package(Torch): it needs nvcc even for a CPU
# program and fails with C++20 under CMake 3.25. Only torch's own headers go on the include path:
# its include folder also holds fmt, protobuf and pybind11, which would shadow the system's.
set(TORCH_VERSION 2.11.0)
set(TORCH_ROOT "$ENV{TORCH_ROOT}" CACHE PATH "folder with torch's include/ and lib/")
if(NOT TORCH_ROOT AND EXISTS ${CMAKE_SOURCE_DIR}/.deps/torch/lib/libtorch_cpu.so)
  set(TORCH_ROOT ${CMAKE_SOURCE_DIR}/.deps/torch)
endif()
if(NOT TORCH_ROOT)
  execute_process(COMMAND python3 -c "import os, torch; print(os.path.dirname(torch.__file__))"
                  OUTPUT_VARIABLE TORCH_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT EXISTS "${TORCH_ROOT}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "LibTorch not found: got TORCH_ROOT='${TORCH_ROOT}', expected a folder with "
    "include/ and lib/libtorch_cpu.so of torch ${TORCH_VERSION}; scripts/setup.sh installs it into .deps")
endif()
file(STRINGS ${TORCH_ROOT}/version.py _torch_version REGEX "^__version__")
if(NOT _torch_version MATCHES "${TORCH_VERSION}")
  message(FATAL_ERROR "LibTorch has the wrong version: got ${_torch_version} in ${TORCH_ROOT}, expected ${TORCH_VERSION}")
endif()

set(_torch_headers ATen c10 caffe2 torch)
find_path(_system_fmt fmt/core.h)
if(NOT _system_fmt)
  list(APPEND _torch_headers fmt)
endif()
set(_torch_include ${CMAKE_BINARY_DIR}/torch-include)
file(MAKE_DIRECTORY ${_torch_include})
foreach(_dir ${_torch_headers})
  file(CREATE_LINK ${TORCH_ROOT}/include/${_dir} ${_torch_include}/${_dir} SYMBOLIC)
endforeach()

add_library(torch::c10 SHARED IMPORTED)
set_target_properties(torch::c10 PROPERTIES
  IMPORTED_LOCATION ${TORCH_ROOT}/lib/libc10.so
  INTERFACE_INCLUDE_DIRECTORIES ${_torch_include})
# One OpenMP runtime in the process: torch's own, for at::parallel_for in our code.
set(_torch_openmp ${TORCH_ROOT}/lib/libgomp.so.1)
if(NOT EXISTS ${_torch_openmp})
  set(_torch_openmp -fopenmp)
endif()
add_library(torch::cpu SHARED IMPORTED)
set_target_properties(torch::cpu PROPERTIES
  IMPORTED_LOCATION ${TORCH_ROOT}/lib/libtorch_cpu.so
  INTERFACE_LINK_LIBRARIES "torch::c10;${_torch_openmp}")
if(SWITCHYARD_WITH_CUDA)
  # --no-as-needed: code that names no CUDA symbol would drop libtorch_cuda, and at::kCUDA then fails.
  add_library(torch::cuda INTERFACE IMPORTED)
  set_target_properties(torch::cuda PROPERTIES INTERFACE_LINK_LIBRARIES
    "-Wl,--no-as-needed;${TORCH_ROOT}/lib/libtorch_cuda.so;${TORCH_ROOT}/lib/libc10_cuda.so;-Wl,--as-needed;torch::cpu;CUDA::cudart;-Wl,--unresolved-symbols=ignore-in-shared-libs")
endif()
