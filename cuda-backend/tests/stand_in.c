// A driver and a cuBLASLt over the memory of the host, for tests of what calls them. Work on a stream is put off until
// somebody waits for it, as late as a GPU may do it: who changes bytes too early, or reads too early, is found out.

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- Work that was put off

enum kind { COPY, SET, FREE, LAUNCH, MULTIPLY };
struct launch { uint32_t grid[3], threads, shared; uint64_t arguments[4]; };
struct matrix { const char *at; int type; int64_t rows, columns, stride, batch, batch_stride; };
struct multiply { struct matrix a, b, d; int transposed; float alpha, beta; };
struct work {
    enum kind kind;
    char *to;
    const char *from;
    size_t bytes;
    struct launch launch;
    struct multiply multiply;
};
static struct work *queue;
static size_t asked, done, room;

static struct work *put_off(enum kind kind) {
    if (asked == room) queue = realloc(queue, (room = 2 * room + 16) * sizeof *queue);
    memset(&queue[asked], 0, sizeof *queue);
    queue[asked].kind = kind;
    return &queue[asked++];
}

// While the stream is captured, launches and products go from `captured` on to the queue, and from there to the graph. Whatever
// else is asked for is refused then, and spoils the capture.
enum { UNSUPPORTED_IN_CAPTURE = 900, INVALIDATED = 901 };
static int capturing, spoilt;
static size_t captured;
// The step of making and launching a graph, from 1 on, that fails.
int stand_in_refuses;

static int in_capture(void) { return capturing ? spoilt = UNSUPPORTED_IN_CAPTURE : 0; }
static int refuses_in_capture(void) { return capturing && (spoilt || stand_in_refuses == 2) ? in_capture() : 0; }

static float element(const struct matrix *m, int64_t batch, int64_t row, int64_t column) {
    int64_t index = batch * m->batch_stride + column * m->stride + row;
    if (m->type == 0) return ((const float *)m->at)[index];
    uint32_t bits = (uint32_t)((const uint16_t *)m->at)[index] << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static void multiply(const struct multiply *of) {
    int64_t inner = of->transposed ? of->a.rows : of->a.columns;
    for (int64_t batch = 0; batch < of->d.batch; ++batch)
        for (int64_t row = 0; row < of->d.rows; ++row)
            for (int64_t column = 0; column < of->d.columns; ++column) {
                double sum = 0;
                for (int64_t k = 0; k < inner; ++k)
                    sum += (double)(of->transposed ? element(&of->a, batch, k, row)
                                                   : element(&of->a, batch, row, k)) *
                           element(&of->b, batch, k, column);
                float *d = (float *)of->d.at + batch * of->d.batch_stride + column * of->d.stride + row;
                // As the library: without a factor, what is there is not looked at.
                double old = of->beta == 0 ? 0 : of->beta * (double)*d;
                *d = (float)(of->alpha * sum + old);
            }
}

static void work_until(size_t end) {
    for (; done < end; ++done) {
        struct work *work = &queue[done];
        switch (work->kind) {
            case COPY: memmove(work->to, work->from, work->bytes); break;
            case SET: memset(work->to, 0, work->bytes); break;
            case FREE: memset(work->to, 0xff, work->bytes); break;
            // A kernel writes what it was launched with to where its first argument points.
            case LAUNCH: memcpy((void *)work->launch.arguments[0], &work->launch, sizeof work->launch); break;
            case MULTIPLY: multiply(&work->multiply); break;
        }
    }
}

// ---- The driver

#define MEMORY ((size_t)1 << 30)
struct block { char *at; size_t bytes; };
static struct block blocks[1024];
static size_t taken;
static void *current;

int cuDriverGetVersion(int *version) { *version = 13000; return 0; }
int cuInit(unsigned flags) { return 0; }
// NVRTC asks for it, to keep what it compiled; without it, it does not.
int cuGetExportTable(const void **table, const void *id) { return 1; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDeviceGetName(char *name, int size, int device) { snprintf(name, size, "Stand-in"); return 0; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = MEMORY; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    switch (attribute) {
        case 75: *value = 9; return 0;
        case 76: *value = 0; return 0;
        case 16: *value = 132; return 0;
        case 97: *value = 232448; return 0;
        case 115: *value = 1; return 0;
        default: return 1;
    }
}
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = &current; return 0; }
int cuDevicePrimaryCtxRelease_v2(int device) { return 0; }
int cuCtxGetCurrent(void **context) { *context = current; return 0; }
int cuCtxSetCurrent(void *context) { current = context; return 0; }
int cuMemGetInfo_v2(size_t *free, size_t *total) { *free = MEMORY - taken; *total = MEMORY; return 0; }
int cuStreamCreate(void **stream, unsigned flags) { *stream = &queue; return 0; }
int cuStreamDestroy_v2(void *stream) { return 0; }
int cuStreamSynchronize(void *stream) {
    if (in_capture()) return UNSUPPORTED_IN_CAPTURE;
    work_until(asked);
    return 0;
}

int cuMemAllocAsync(uint64_t *address, size_t bytes, void *stream) {
    if (in_capture()) return UNSUPPORTED_IN_CAPTURE;
    if (bytes > MEMORY - taken) return 2;
    for (size_t i = 0; i < 1024; ++i)
        if (!blocks[i].at) {
            blocks[i] = (struct block){aligned_alloc(256, (bytes + 255) / 256 * 256), bytes};
            memset(blocks[i].at, 0xff, bytes);
            taken += bytes;
            *address = (uint64_t)blocks[i].at;
            return 0;
        }
    return 2;
}
int cuMemFreeAsync(uint64_t address, void *stream) {
    if (in_capture()) return UNSUPPORTED_IN_CAPTURE;
    for (size_t i = 0; i < 1024; ++i)
        if ((uint64_t)blocks[i].at == address && address) {
            struct work *work = put_off(FREE);
            work->to = blocks[i].at;
            work->bytes = blocks[i].bytes;
            taken -= blocks[i].bytes;
            blocks[i].at = NULL;
            return 0;
        }
    return 1;
}
int cuMemHostAlloc(void **at, size_t bytes, unsigned flags) { *at = malloc(bytes); return *at ? 0 : 2; }
int cuMemFreeHost(void *at) { free(at); return 0; }

static int copy(void *to, const void *from, size_t bytes) {
    if (in_capture()) return UNSUPPORTED_IN_CAPTURE;
    struct work *work = put_off(COPY);
    work->to = to;
    work->from = from;
    work->bytes = bytes;
    return 0;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) { return copy((void *)to, from, bytes); }
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) { return copy(to, (void *)from, bytes); }
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) { return copy((void *)to, (void *)from, bytes); }
int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void *stream) {
    if (in_capture()) return UNSUPPORTED_IN_CAPTURE;
    struct work *work = put_off(SET);
    work->to = (char *)to;
    work->bytes = bytes;
    return value;
}

// An event is the number of pieces of work before it.
int cuEventCreate(void **event, unsigned flags) { *event = calloc(1, sizeof(size_t)); return 0; }
int cuEventRecord(void *event, void *stream) {
    if (in_capture()) return UNSUPPORTED_IN_CAPTURE;
    *(size_t *)event = asked;
    return 0;
}
int cuEventSynchronize(void *event) {
    if (in_capture()) return UNSUPPORTED_IN_CAPTURE;
    work_until(*(size_t *)event);
    return 0;
}
int cuEventDestroy_v2(void *event) { free(event); return 0; }
int cuEventElapsedTime_v2(float *milliseconds, void *start, void *end) {
    *milliseconds = *(size_t *)end - *(size_t *)start;
    return 0;
}

static int loaded;
int stand_in_launches, stand_in_alive;
int cuModuleLoadData(void **module, const void *image) { *module = &loaded; return memcmp(image, "\x7f" "ELF", 4) ? 200 : 0; }
int cuModuleUnload(void *module) { return 0; }
int cuModuleGetFunction(void **function, void *module, const char *name) { *function = strdup(name); return 0; }
int cuFuncSetAttribute(void *function, int attribute, int value) { return attribute == 8 ? 0 : 1; }
int cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned threads, unsigned threads_y,
                   unsigned threads_z, unsigned shared, void *stream, void **arguments, void **extra) {
    if (threads > 1024 || threads_y != 1 || threads_z != 1) return 1;
    if (refuses_in_capture()) return UNSUPPORTED_IN_CAPTURE;
    ++stand_in_launches;
    struct launch *launch = &put_off(LAUNCH)->launch;
    *launch = (struct launch){{x, y, z}, threads, shared, {0}};
    memcpy(&launch->arguments[0], arguments[0], 8);
    memcpy(&launch->arguments[1], arguments[1], 4);
    memcpy(&launch->arguments[2], arguments[2], 8);
    memcpy(&launch->arguments[3], arguments[3], 4);
    return 0;
}

// ---- Graphs: made of a capture, instantiated and made ready, launched as often as wanted

struct graph { struct work *work; size_t count; int of_launches, ready; };
int stand_in_captures, stand_in_replays;

static struct graph *new_graph(const struct work *work, size_t count) {
    struct graph *graph = malloc(sizeof *graph);
    *graph = (struct graph){malloc(count * sizeof *work + 1), count};
    memcpy(graph->work, work, count * sizeof *work);
    ++stand_in_alive;
    return graph;
}
static int end_graph(struct graph *graph, int of_launches) {
    if (graph->of_launches != of_launches) return 1;
    free(graph->work);
    free(graph);
    --stand_in_alive;
    return 0;
}

int cuStreamBeginCapture_v2(void *stream, int mode) {
    if (stream != &queue || capturing || mode != 2 || stand_in_refuses == 1) return UNSUPPORTED_IN_CAPTURE;
    capturing = 1;
    captured = asked;
    ++stand_in_captures;
    return 0;
}
int cuStreamEndCapture(void *stream, struct graph **graph) {
    if (!capturing) return 1;
    int failed = spoilt ? INVALIDATED : stand_in_refuses == 3 ? 1 : 0;
    *graph = failed ? NULL : new_graph(queue + captured, asked - captured);
    asked = captured;
    capturing = spoilt = 0;
    return failed;
}
int cuGraphInstantiateWithFlags(struct graph **launches, const struct graph *graph, unsigned long long flags) {
    if (graph->of_launches || flags || stand_in_refuses == 4) return 1;
    *launches = new_graph(graph->work, graph->count);
    (*launches)->of_launches = 1;
    return 0;
}
int cuGraphUpload(struct graph *launches, void *stream) {
    if (!launches->of_launches || in_capture() || stand_in_refuses == 5) return 2;
    launches->ready = 1;
    return 0;
}
int cuGraphLaunch(struct graph *launches, void *stream) {
    if (!launches->ready || in_capture() || stream != &queue || stand_in_refuses == 6) return 1;
    for (size_t i = 0; i < launches->count; ++i) {
        struct work *work = put_off(launches->work[i].kind);
        *work = launches->work[i];
    }
    ++stand_in_replays;
    return 0;
}
int cuGraphExecDestroy(struct graph *launches) { return end_graph(launches, 1); }
int cuGraphDestroy(struct graph *graph) { return end_graph(graph, 0); }

// ---- cuBLASLt

enum { INVALID = 7, NOT_MADE = 14, UNSUPPORTED = 15 };
struct product { int transposed; };
struct preference { uint64_t workspace; uint32_t alignment[4]; };
struct algorithm { uint64_t workspace; uint32_t alignment[4]; uint64_t rest[5]; };
struct heuristic { struct algorithm algorithm; size_t workspace; int state; float waves; int reserved[4]; };
int stand_in_heuristics;

size_t cublasLtGetVersion(void) { return 130002; }
int cublasLtCreate(void **handle) { *handle = malloc(1); ++stand_in_alive; return 0; }
int cublasLtDestroy(void *handle) { free(handle); --stand_in_alive; return 0; }
int cublasLtMatmulDescCreate(struct product **product, int compute, int scale) {
    if (compute != 68 || scale != 0) return UNSUPPORTED;
    *product = calloc(1, sizeof **product);
    ++stand_in_alive;
    return 0;
}
int cublasLtMatmulDescDestroy(struct product *product) { free(product); --stand_in_alive; return 0; }
int cublasLtMatmulDescSetAttribute(struct product *product, int attribute, const int32_t *value, size_t bytes) {
    if (attribute != 3 || bytes != 4) return INVALID;
    product->transposed = *value;
    return 0;
}
int cublasLtMatrixLayoutCreate(struct matrix **matrix, int type, uint64_t rows, uint64_t columns, int64_t stride) {
    if (stride < (int64_t)rows) return INVALID;
    *matrix = calloc(1, sizeof **matrix);
    **matrix = (struct matrix){NULL, type, rows, columns, stride, 1, 0};
    ++stand_in_alive;
    return 0;
}
int cublasLtMatrixLayoutDestroy(struct matrix *matrix) { free(matrix); --stand_in_alive; return 0; }
int cublasLtMatrixLayoutSetAttribute(struct matrix *matrix, int attribute, const void *value, size_t bytes) {
    if (attribute == 5 && bytes == 4) matrix->batch = *(const int32_t *)value;
    else if (attribute == 6 && bytes == 8) matrix->batch_stride = *(const int64_t *)value;
    else return INVALID;
    return 0;
}
int cublasLtMatmulPreferenceCreate(struct preference **preference) {
    *preference = calloc(1, sizeof **preference);
    for (int i = 0; i < 4; ++i) (*preference)->alignment[i] = 256;
    ++stand_in_alive;
    return 0;
}
int cublasLtMatmulPreferenceDestroy(struct preference *preference) { free(preference); --stand_in_alive; return 0; }
int cublasLtMatmulPreferenceSetAttribute(struct preference *preference, int attribute, const void *value, size_t bytes) {
    if (attribute == 1 && bytes == 8) preference->workspace = *(const uint64_t *)value;
    else if (attribute >= 5 && attribute <= 8 && bytes == 4) preference->alignment[attribute - 5] = *(const uint32_t *)value;
    else return INVALID;
    return 0;
}
int cublasLtMatmulAlgoGetHeuristic(void *handle, const struct product *product, const struct matrix *a, const struct matrix *b,
                                   const struct matrix *c, const struct matrix *d, const struct preference *preference,
                                   int most, struct heuristic *found, int *count) {
    int64_t inner = product->transposed ? a->rows : a->columns, rows = product->transposed ? a->columns : a->rows;
    if (rows != d->rows || inner != b->rows || b->columns != d->columns || a->type != b->type || d->type != 0 ||
        a->batch != d->batch || b->batch != d->batch || c->stride != d->stride)
        return INVALID;
    memset(found, 0, sizeof *found);
    found->algorithm.workspace = preference->workspace;
    memcpy(found->algorithm.alignment, preference->alignment, sizeof preference->alignment);
    *count = most > 0;
    ++stand_in_heuristics;
    return 0;
}
int cublasLtMatmul(void *handle, const struct product *product, const float *alpha, const void *a, const struct matrix *a_layout,
                   const void *b, const struct matrix *b_layout, const float *beta, const void *c, const struct matrix *c_layout,
                   void *d, const struct matrix *d_layout, const struct algorithm *algorithm, void *workspace, size_t bytes,
                   void *stream) {
    const void *at[4] = {a, b, c, d};
    for (int i = 0; i < 4; ++i)
        if ((uint64_t)at[i] % algorithm->alignment[i]) return INVALID;
    if (bytes < algorithm->workspace || c != d || stream != &queue) return INVALID;
    if (refuses_in_capture()) return NOT_MADE;
    struct multiply *work = &put_off(MULTIPLY)->multiply;
    *work = (struct multiply){*a_layout, *b_layout, *d_layout, product->transposed, *alpha, *beta};
    work->a.at = a;
    work->b.at = b;
    work->d.at = d;
    // It may work in this; nobody else may.
    memset(workspace, 0xff, bytes);
    return 0;
}
