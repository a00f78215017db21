// Loops over time that take most of a step in Python, forwards and backwards: the scan of the RG-LRU, the
// causal depthwise convolution, and the matrix state of Mamba-2 and RWKV-6. Once for float, once for double
// (for the check of the gradients).

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    SIZE = 64,        // key and value channels of a matrix state
    STATE = 64 * 64,  // its elements
    SPAN = 16,        // tokens from one state that is kept to the next
};

#define R float
#define NAMED(kernel) kernel##_float32
#include "kernels.h"
#undef R
#undef NAMED

#define R double
#define NAMED(kernel) kernel##_float64
#include "kernels.h"
