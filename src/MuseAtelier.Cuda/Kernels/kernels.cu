// Operators that ONNX Runtime lacks, or has in a form whose last bits differ from run to run. Every sum here is taken in a fixed order on
// every card, so that the same input gives the same bytes.
//
// This file compiles without the CUDA toolkit. kernels.ptx beside it is made by
//   clang-14 -x cuda --cuda-device-only --cuda-gpu-arch=sm_75 -nocudainc -nocudalib -O3 -std=c++17
//       -Xclang -target-feature -Xclang +ptx64 -S kernels.cu -o kernels.ptx
// (one command), and the driver compiles kernels.ptx for the card that it finds (Turing and later).
//
// Images are [n, rows, channels], with channels innermost and a multiple of 8. One thread handles 8 channels, one 16-byte load in fp16.

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))

typedef unsigned int Words __attribute__((ext_vector_type(4)));
typedef float Floats __attribute__((ext_vector_type(4)));

constexpr int Groups = 32;
constexpr int Lanes = 8; // threads that sum one group together
constexpr int InFlight = 4; // loads that a thread issues at once: one alone would leave the memory idle
constexpr unsigned AllThreads = 0xffffffff;

static __device__ int threadIndex() { return __nvvm_read_ptx_sreg_tid_x(); }
static __device__ int blockIndexX() { return __nvvm_read_ptx_sreg_ctaid_x(); }
static __device__ int blockIndexY() { return __nvvm_read_ptx_sreg_ctaid_y(); }
static __device__ int blocksX() { return __nvvm_read_ptx_sreg_nctaid_x(); }
static __device__ int threads() { return __nvvm_read_ptx_sreg_ntid_x(); }

static __device__ float exponential(float x)
{
    float y;
    asm("ex2.approx.f32 %0, %1;" : "=f"(y) : "f"(x * 1.44269504f));
    return y;
}

static __device__ float reciprocal(float x)
{
    float y;
    asm("rcp.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

static __device__ float widen(unsigned short half)
{
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
    return value;
}

static __device__ unsigned short narrow(float value)
{
    unsigned short half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
}

// An element type. fetch starts the load of 8 elements without waiting for it; expand and load convert the elements to floats.
struct Half
{
    typedef Words Raw;

    unsigned short bits;

    static __device__ Raw fetch(const Half *from) { return *(const Words *)from; }

    static __device__ void load(const Half *from, float *values) { expand(fetch(from), values); }

    static __device__ float one(const Half *from) { return widen(from->bits); }

    static __device__ void store(Half *to, float value) { to->bits = narrow(value); }

    static __device__ void expand(Raw words, float *values)
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            values[2 * i] = widen((unsigned short)(words[i] & 0xffff));
            values[2 * i + 1] = widen((unsigned short)(words[i] >> 16));
        }
    }

    // Also rounds values to the stored precision, so that this kernel goes on with the same numbers that the next operator reads.
    static __device__ void store(Half *to, float *values)
    {
        Words words;
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            unsigned short low = narrow(values[2 * i]), high = narrow(values[2 * i + 1]);
            words[i] = low | ((unsigned)high << 16);
            values[2 * i] = widen(low);
            values[2 * i + 1] = widen(high);
        }

        *(Words *)to = words;
    }
};

struct Single
{
    struct Raw
    {
        Floats low, high;
    };

    float value;

    static __device__ Raw fetch(const Single *from) { return {((const Floats *)from)[0], ((const Floats *)from)[1]}; }

    static __device__ void load(const Single *from, float *values) { expand(fetch(from), values); }

    static __device__ float one(const Single *from) { return from->value; }

    static __device__ void store(Single *to, float value) { to->value = value; }

    static __device__ void expand(Raw raw, float *values)
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            values[i] = raw.low[i];
            values[4 + i] = raw.high[i];
        }
    }

    static __device__ void store(Single *to, float *values)
    {
        Floats low, high;
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            low[i] = values[i];
            high[i] = values[4 + i];
        }

        ((Floats *)to)[0] = low;
        ((Floats *)to)[1] = high;
    }
};

extern __shared__ float shared[];

// Group norm, first kernel. Each block sums some rows of one image: first each channel, then each group. The last block to finish adds the
// sums of all blocks.
//   residual: null, or [n, channels] (residualRows 1), or [n, rows, channels]; bias: null or [channels]. Both are added to x first.
//   sum: receives x + bias + residual; may be the output of groupScale. Null where it is not needed and the addend is the same for all
//   rows: groupScale then adds it again, which is cheaper than writing and reading the sum, and rounds once less.
//   partials: [n, blocks, 2, 32]. tickets: [n], zero before and after. statistics: [n, 2, 32], mean and 1 / deviation.
template <typename T>
static __device__ void groupSums(
    const T *x, const T *residual, const T *bias, T *sum, float *partials, unsigned *tickets, float *statistics, int rows, int channels, int residualRows, float epsilon)
{
    int n = blockIndexY(), octets = channels / 8, rowsAtOnce = threads() / octets;
    int octet = threadIndex() % octets, firstRow = threadIndex() / octets, channel = octet * 8;
    long base = (long)n * rows * channels + channel;
    int rowsPerBlock = (rows + blocksX() - 1) / blocksX();
    int begin = blockIndexX() * rowsPerBlock, end = begin + rowsPerBlock < rows ? begin + rowsPerBlock : rows;

    float totals[8] = {}, squares[8] = {}, added[8] = {};
    if (bias) T::load(bias + channel, added);
    if (residual && residualRows == 1)
    {
        float values[8];
        T::load(residual + (long)n * channels + channel, values);
#pragma unroll
        for (int i = 0; i < 8; i++) added[i] += values[i];
    }

    bool wholeResidual = residual && residualRows > 1;
    for (int first = begin + firstRow; first < end; first += InFlight * rowsAtOnce)
    {
        typename T::Raw own[InFlight], others[InFlight];
#pragma unroll
        for (int j = 0; j < InFlight; j++)
        {
            int row = first + j * rowsAtOnce;
            if (row >= end) continue;
            own[j] = T::fetch(x + base + (long)row * channels);
            if (wholeResidual) others[j] = T::fetch(residual + base + (long)row * channels);
        }

#pragma unroll
        for (int j = 0; j < InFlight; j++)
        {
            int row = first + j * rowsAtOnce;
            if (row >= end) continue;
            float values[8];
            T::expand(own[j], values);
            if (wholeResidual)
            {
                float more[8];
                T::expand(others[j], more);
#pragma unroll
                for (int i = 0; i < 8; i++) values[i] += more[i];
            }

#pragma unroll
            for (int i = 0; i < 8; i++) values[i] += added[i];
            if (sum) T::store(sum + base + (long)row * channels, values);

#pragma unroll
            for (int i = 0; i < 8; i++)
            {
                totals[i] += values[i];
                squares[i] += values[i] * values[i];
            }
        }
    }

    float *allTotals = shared, *allSquares = shared + rowsAtOnce * channels;
#pragma unroll
    for (int i = 0; i < 8; i++)
    {
        allTotals[firstRow * channels + channel + i] = totals[i];
        allSquares[firstRow * channels + channel + i] = squares[i];
    }

    __syncthreads();
    int width = channels / Groups;
    bool isLast = false;
    if (threadIndex() < Groups * Lanes)
    {
        int group = threadIndex() / Lanes, lane = threadIndex() % Lanes;
        float total = 0, square = 0;
        for (int i = lane; i < rowsAtOnce * width; i += Lanes)
        {
            int at = i / width * channels + group * width + i % width;
            total += allTotals[at];
            square += allSquares[at];
        }

#pragma unroll
        for (int distance = Lanes / 2; distance > 0; distance /= 2)
        {
            total += __nvvm_shfl_sync_bfly_f32(AllThreads, total, distance, 31);
            square += __nvvm_shfl_sync_bfly_f32(AllThreads, square, distance, 31);
        }

        if (lane == 0)
        {
            float *mine = partials + ((long)n * blocksX() + blockIndexX()) * 2 * Groups;
            mine[group] = total;
            mine[Groups + group] = square;
        }
    }

    __nvvm_membar_gl();
    __syncthreads();
    if (threadIndex() == 0)
    {
        // The atomic increment wraps to zero by itself after the last block.
        unsigned before;
        asm volatile("atom.global.inc.u32 %0, [%1], %2;" : "=r"(before) : "l"(tickets + n), "r"(blocksX() - 1) : "memory");
        shared[0] = before == blocksX() - 1 ? 1 : 0;
    }

    __syncthreads();
    isLast = shared[0] != 0;
    if (!isLast || threadIndex() >= Groups * Lanes) return;
    __nvvm_membar_gl();

    // The sums must be doubles, because the variance below is the difference of two large sums.
    int group = threadIndex() / Lanes, lane = threadIndex() % Lanes;
    double total = 0, square = 0;
    for (int block = lane; block < blocksX(); block += Lanes)
    {
        const volatile float *theirs = partials + ((long)n * blocksX() + block) * 2 * Groups;
        total += theirs[group];
        square += theirs[Groups + group];
    }

    // The shuffle moves 32 bits, so each double is passed between threads as two words.
#pragma unroll
    for (int distance = Lanes / 2; distance > 0; distance /= 2)
    {
        long totalBits = __builtin_bit_cast(long, total), squareBits = __builtin_bit_cast(long, square);
        unsigned totalLow = __nvvm_shfl_sync_bfly_i32(AllThreads, (int)totalBits, distance, 31), totalHigh = __nvvm_shfl_sync_bfly_i32(AllThreads, (int)(totalBits >> 32), distance, 31);
        unsigned squareLow = __nvvm_shfl_sync_bfly_i32(AllThreads, (int)squareBits, distance, 31), squareHigh = __nvvm_shfl_sync_bfly_i32(AllThreads, (int)(squareBits >> 32), distance, 31);
        total += __builtin_bit_cast(double, ((long)totalHigh << 32) | totalLow);
        square += __builtin_bit_cast(double, ((long)squareHigh << 32) | squareLow);
    }

    if (lane == 0)
    {
        double count = (double)rows * width, mean = total / count, variance = square / count - mean * mean;
        float deviation;
        asm("sqrt.rn.f32 %0, %1;" : "=f"(deviation) : "f"((float)(variance > 0 ? variance : 0) + epsilon));
        statistics[n * 2 * Groups + group] = (float)mean;
        statistics[n * 2 * Groups + Groups + group] = 1 / deviation;
    }
}

// Group norm, second kernel: y = (x + residual + bias - mean) / deviation * scale + offset, then y * sigmoid(y) if silu is not 0. x and y
// may be the same.
//   residual: null or [n, channels]; bias: null or [channels].
template <typename T>
static __device__ void groupScale(
    const T *x, const T *residual, const T *bias, const float *scale, const float *offset, const float *statistics, T *y, int rows, int channels, int silu)
{
    int n = blockIndexY(), octets = channels / 8, rowsAtOnce = threads() / octets;
    int octet = threadIndex() % octets, firstRow = threadIndex() / octets, channel = octet * 8, width = channels / Groups;
    float factors[8], shifts[8], added[8] = {}, values[8];
    if (bias) T::load(bias + channel, added);
    if (residual)
    {
        T::load(residual + (long)n * channels + channel, values);
#pragma unroll
        for (int i = 0; i < 8; i++) added[i] += values[i];
    }

#pragma unroll
    for (int i = 0; i < 8; i++)
    {
        int group = (channel + i) / width;
        float mean = statistics[n * 2 * Groups + group] - added[i];
        factors[i] = statistics[n * 2 * Groups + Groups + group] * scale[channel + i];
        shifts[i] = offset[channel + i] - mean * factors[i];
    }

    long base = (long)n * rows * channels + channel;
    for (int first = blockIndexX() * rowsAtOnce * InFlight + firstRow; first < rows; first += blocksX() * rowsAtOnce * InFlight)
    {
        typename T::Raw own[InFlight];
#pragma unroll
        for (int j = 0; j < InFlight; j++)
            if (first + j * rowsAtOnce < rows) own[j] = T::fetch(x + base + (long)(first + j * rowsAtOnce) * channels);

#pragma unroll
        for (int j = 0; j < InFlight; j++)
        {
            int row = first + j * rowsAtOnce;
            if (row >= rows) continue;
            T::expand(own[j], values);
#pragma unroll
            for (int i = 0; i < 8; i++)
            {
                values[i] = values[i] * factors[i] + shifts[i];
                if (silu) values[i] *= reciprocal(1 + exponential(-values[i]));
            }

            T::store(y + base + (long)row * channels, values);
        }
    }
}

// GELU, with erf by Abramowitz and Stegun, 7.1.26: absolute error at most 1.5e-7.
static __device__ float gelu(float x)
{
    float z = x < 0 ? -x : x;
    z *= 0.70710678f;
    float t = reciprocal(1 + 0.3275911f * z);
    float tail = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t * exponential(-z * z);
    float erf = x < 0 ? tail - 1 : 1 - tail;
    return 0.5f * x * (1 + erf);
}

// GEGLU of x + bias: y = first half * gelu(second half). x [rows, 2 width], bias [2 width], y [rows, width].
template <typename T>
static __device__ void gate(const T *x, const T *bias, T *y, int width)
{
    int channel = (blockIndexY() * threads() + threadIndex()) * 8;
    if (channel >= width) return;
    const T *row = x + (long)blockIndexX() * 2 * width;
    float values[8], gates[8], valueBias[8], gateBias[8];
    T::load(row + channel, values);
    T::load(row + width + channel, gates);
    T::load(bias + channel, valueBias);
    T::load(bias + width + channel, gateBias);
#pragma unroll
    for (int i = 0; i < 8; i++) values[i] = (values[i] + valueBias[i]) * gelu(gates[i] + gateBias[i]);
    T::store(y + (long)blockIndexX() * width + channel, values);
}

// y = x + bias + residual. x, residual and y [rows, channels], bias [channels].
template <typename T, typename R>
static __device__ void biasedSum(const T *x, const T *bias, const R *residual, T *y, int rows, int channels)
{
    int octets = channels / 8;
    long index = (long)blockIndexX() * threads() + threadIndex();
    if (index >= (long)rows * octets) return;
    float values[8], biases[8], others[8];
    T::load(x + index * 8, values);
    R::load(residual + index * 8, others);
    T::load(bias + index % octets * 8, biases);
#pragma unroll
    for (int i = 0; i < 8; i++) values[i] += biases[i] + others[i];
    T::store(y + index * 8, values);
}

constexpr int MostVectors = 8; // groups of 8 channels of a row that a lane holds: rows have at most 2048 channels

// sum = x + bias + residual, and y = layer norm of sum * scale + offset; all [rows, channels]. One warp handles a row and keeps it in
// registers, so that the mean is known before deviations are squared.
static __device__ void residualLayerNorm(
    const Half *x, const Single *residual, const Half *bias, const float *scale, const float *offset, Half *y, Single *sum, int rows, int channels, float epsilon)
{
    int lane = threadIndex() % 32, row = blockIndexX() * (threads() / 32) + threadIndex() / 32, octets = channels / 8;
    if (row >= rows) return;
    long base = (long)row * channels;
    Half::Raw own[MostVectors];
    Single::Raw others[MostVectors];
#pragma unroll
    for (int j = 0; j < MostVectors; j++)
    {
        int octet = lane + 32 * j;
        if (octet >= octets) continue;
        own[j] = Half::fetch(x + base + octet * 8);
        others[j] = Single::fetch(residual + base + octet * 8);
    }

    float values[MostVectors][8], total = 0;
#pragma unroll
    for (int j = 0; j < MostVectors; j++)
    {
        int octet = lane + 32 * j;
        if (octet >= octets) continue;
        float more[8], biases[8];
        Half::expand(own[j], values[j]);
        Single::expand(others[j], more);
        Half::load(bias + octet * 8, biases);
#pragma unroll
        for (int i = 0; i < 8; i++)
        {
            values[j][i] += more[i] + biases[i];
            total += values[j][i];
        }

        Single::store(sum + base + octet * 8, values[j]);
    }

#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) total += __nvvm_shfl_sync_bfly_f32(AllThreads, total, distance, 31);
    float mean = total / channels, squares = 0;
#pragma unroll
    for (int j = 0; j < MostVectors; j++)
    {
        if (lane + 32 * j >= octets) continue;
#pragma unroll
        for (int i = 0; i < 8; i++)
        {
            values[j][i] -= mean;
            squares += values[j][i] * values[j][i];
        }
    }

#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2) squares += __nvvm_shfl_sync_bfly_f32(AllThreads, squares, distance, 31);
    float deviation;
    asm("sqrt.rn.f32 %0, %1;" : "=f"(deviation) : "f"(squares / channels + epsilon));
    float factor = 1 / deviation;
#pragma unroll
    for (int j = 0; j < MostVectors; j++)
    {
        int octet = lane + 32 * j;
        if (octet >= octets) continue;
        float factors[8], offsets[8];
        Single::load((const Single *)scale + octet * 8, factors);
        Single::load((const Single *)offset + octet * 8, offsets);
#pragma unroll
        for (int i = 0; i < 8; i++) values[j][i] = values[j][i] * factor * factors[i] + offsets[i];
        Half::store(y + base + octet * 8, values[j]);
    }
}

#define KERNELS(suffix, T) \
    extern "C" __global__ void group_sums_##suffix( \
        const T *x, const T *residual, const T *bias, T *sum, float *partials, unsigned *tickets, float *statistics, int rows, int channels, int residualRows, float epsilon) \
    { \
        groupSums<T>(x, residual, bias, sum, partials, tickets, statistics, rows, channels, residualRows, epsilon); \
    } \
    extern "C" __global__ void group_scale_##suffix( \
        const T *x, const T *residual, const T *bias, const float *scale, const float *offset, const float *statistics, T *y, int rows, int channels, int silu) \
    { \
        groupScale<T>(x, residual, bias, scale, offset, statistics, y, rows, channels, silu); \
    } \
    extern "C" __global__ void biased_sum_##suffix(const T *x, const T *bias, const T *residual, T *y, int rows, int channels) \
    { \
        biasedSum<T, T>(x, bias, residual, y, rows, channels); \
    }

KERNELS(f16, Half)
KERNELS(f32, Single)

extern "C" __global__ void stream_sum(const Half *x, const Half *bias, const Single *residual, Half *y, int rows, int channels)
{
    biasedSum<Half, Single>(x, bias, residual, y, rows, channels);
}

extern "C" __global__ void gate_f16(const Half *x, const Half *bias, Half *y, int width) { gate<Half>(x, bias, y, width); }

extern "C" __global__ void residual_layer_norm(
    const Half *x, const Single *residual, const Half *bias, const float *scale, const float *offset, Half *y, Single *sum, int rows, int channels, float epsilon)
{
    residualLayerNorm(x, residual, bias, scale, offset, y, sum, rows, channels, epsilon);
}

// A product of two factors that is added to rows of a matrix. Rows are counted from the matrix's first one.
struct Product
{
    int left; // the left factor, [endRow - firstRow, rank]: floats from the first product's address
    int right; // the right factor, [rank, columns]
    int rank;
    int firstRow;
    int endRow;
    float factor;
};

constexpr int Tile = 64, Depth = 32, Side = 16, Each = Tile / Side; // 16 x 16 threads compute 4 x 4 elements of a tile each

// weight [rows, columns], whose rows are stride elements apart, += factor * left x right for each product. The sum over the rank is taken in
// its order by fused operations, as on the processor, so that both give the same bits. Factors are padded with zeros, which change no
// sum: a sum that begins with +0 never becomes -0.
//   outOfRange: receives 1 if a number is larger than limit, or none.
template <typename T>
static __device__ void addProducts(
    T *weight, long stride, const Product *products, int count, int rows, int columns, float limit, int *outOfRange)
{
    int firstRow = blockIndexY() * Tile, firstColumn = blockIndexX() * Tile;
    int row = firstRow + threadIndex() / Side * Each, column = firstColumn + threadIndex() % Side;
    float *lefts = shared, *rights = shared + Depth * (Tile + 1);
    float values[Each][Each];
#pragma unroll
    for (int i = 0; i < Each; i++)
#pragma unroll
        for (int j = 0; j < Each; j++)
        {
            bool isThere = row + i < rows && column + j * Side < columns;
            values[i][j] = isThere ? T::one(weight + (row + i) * stride + column + j * Side) : 0;
        }

    for (int p = 0; p < count; p++)
    {
        Product product = products[p];
        if (product.endRow <= firstRow || product.firstRow >= firstRow + Tile) continue;
        const float *left = (const float *)products + product.left, *right = (const float *)products + product.right;
        float sums[Each][Each] = {};
        for (int depth = 0; depth < product.rank; depth += Depth)
        {
            for (int at = threadIndex(); at < Depth * Tile; at += Side * Side)
            {
                int k = at % Depth, r = firstRow + at / Depth;
                bool isThere = depth + k < product.rank && r >= product.firstRow && r < product.endRow;
                lefts[k * (Tile + 1) + at / Depth] = isThere ? left[(long)(r - product.firstRow) * product.rank + depth + k] : 0;
            }

            for (int at = threadIndex(); at < Depth * Tile; at += Side * Side)
            {
                int k = at / Tile, c = firstColumn + at % Tile;
                bool isThere = depth + k < product.rank && c < columns;
                rights[at] = isThere ? right[(long)(depth + k) * columns + c] : 0;
            }

            __syncthreads();
#pragma unroll 8
            for (int k = 0; k < Depth; k++)
            {
                float a[Each], b[Each];
#pragma unroll
                for (int i = 0; i < Each; i++)
                {
                    a[i] = lefts[k * (Tile + 1) + row - firstRow + i];
                    b[i] = rights[k * Tile + column - firstColumn + i * Side];
                }

#pragma unroll
                for (int i = 0; i < Each; i++)
#pragma unroll
                    for (int j = 0; j < Each; j++) sums[i][j] = __builtin_fmaf(a[i], b[j], sums[i][j]);
            }

            __syncthreads();
        }

#pragma unroll
        for (int i = 0; i < Each; i++)
        {
            if (row + i < product.firstRow || row + i >= product.endRow) continue;
#pragma unroll
            for (int j = 0; j < Each; j++) values[i][j] = __builtin_fmaf(sums[i][j], product.factor, values[i][j]);
        }
    }

#pragma unroll
    for (int i = 0; i < Each; i++)
#pragma unroll
        for (int j = 0; j < Each; j++)
        {
            if (row + i >= rows || column + j * Side >= columns) continue;
            if (!(__builtin_fabsf(values[i][j]) <= limit)) *outOfRange = 1;
            T::store(weight + (row + i) * stride + column + j * Side, values[i][j]);
        }
}

extern "C" __global__ void add_products_f16(
    Half *weight, long stride, const Product *products, int count, int rows, int columns, float limit, int *outOfRange)
{
    addProducts<Half>(weight, stride, products, count, rows, columns, limit, outOfRange);
}

extern "C" __global__ void add_products_f32(
    Single *weight, long stride, const Product *products, int count, int rows, int columns, float limit, int *outOfRange)
{
    addProducts<Single>(weight, stride, products, count, rows, columns, limit, outOfRange);
}
